/** Builds the page into web/dist: `npm run build:web`. */
import preact from '@preact/preset-vite'
import { defineConfig } from 'vite'

export default defineConfig({
  // Relative: the page works under any path that a proxy gives it.
  base: './',
  plugins: [preact({ reactAliasesEnabled: false, devToolsEnabled: false })],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The Content-Security-Policy allows no inline script and no data: font.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // The charts alone are that big, and they are loaded after the first paint.
    chunkSizeWarningLimit: 700,
  },
})
