import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

const sheet = readFileSync(new URL('./styles/theme.css', import.meta.url), 'utf8')

function colours(block: string): Map<string, string> {
  return new Map(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, hex]) => [name!, hex!]),
  )
}

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const part = Number.parseInt(hex.slice(start, start + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light! + 0.05) / (dark! + 0.05)
}

const [light, dark] = sheet.split('@media').map(colours) as [
  Map<string, string>,
  Map<string, string>,
]
const foreground = [
  'text',
  'quiet',
  'accent',
  'good',
  'bad',
  ...Array.from({ length: 9 }, (_, index) => `series-${index + 1}`),
]

for (const [mode, palette] of [
  ['light', light],
  ['dark', dark],
] as const) {
  describe(`web: palette, ${mode}`, () => {
    it('has a contrast of 4.5 or more wherever it is used', () => {
      for (const name of foreground) {
        for (const ground of ['page', 'surface', 'raised']) {
          const found = contrast(palette.get(name)!, palette.get(ground)!)
          assert.ok(found >= 4.5, `${name} on ${ground}: ${found.toFixed(2)}`)
        }
      }
      assert.ok(contrast(palette.get('on-accent')!, palette.get('accent')!) >= 4.5)
      for (const name of ['text', 'bad']) {
        assert.ok(contrast(palette.get(name)!, palette.get('bad-surface')!) >= 4.5, name)
      }
    })

    it('has borders of controls that are seen, and no series twice', () => {
      assert.ok(contrast(palette.get('edge')!, palette.get('surface')!) >= 3)
      assert.equal(
        new Set(
          foreground.filter((name) => name.startsWith('series')).map((name) => palette.get(name)),
        ).size,
        9,
      )
    })
  })
}
