/** A test tool: the page as it is built, in a real Chromium, and all that goes wrong in it. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { build } from 'vite'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export const chromiumPath =
  process.env.CHROMIUM_PATH || places.find((candidate) => existsSync(candidate))

/** Says loudly that nothing is checked; in CI that is a failure. */
export function reportMissingChromium(diagnostic: (message: string) => void): void {
  const message =
    'SKIPPED: there is no Chromium (set CHROMIUM_PATH), so the page was NOT looked at in a browser'
  console.error(message)
  diagnostic(message)
  assert.ok(process.env.CI !== 'true', message)
}

export interface BuiltPage {
  readonly directory: string
  readonly remove: () => void
}

export async function buildPage(): Promise<BuiltPage> {
  const directory = mkdtempSync(path.join(tmpdir(), 'millrace-page-'))
  await build({ root: import.meta.dirname, logLevel: 'warn', build: { outDir: directory } })
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] })

/** Where pictures go: MILLRACE_SCREENSHOTS, to be looked at, or a directory that is removed. */
export function pictures(): {
  readonly file: (name: string) => string
  readonly remove: () => void
} {
  const kept = process.env.MILLRACE_SCREENSHOTS
  const directory = kept ?? mkdtempSync(path.join(tmpdir(), 'millrace-pictures-'))
  mkdirSync(directory, { recursive: true })
  return {
    file: (name) => path.join(directory, `${name}.png`),
    remove: () => {
      if (kept === undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}

export interface Look {
  readonly width: number
  readonly height: number
  readonly mode: 'light' | 'dark'
}

export const looks: readonly Look[] = [
  { width: 1440, height: 900, mode: 'light' },
  { width: 1440, height: 900, mode: 'dark' },
  { width: 390, height: 844, mode: 'light' },
  { width: 390, height: 844, mode: 'dark' },
]

export interface WatchedPage {
  readonly page: Page
  /** Errors of scripts, of the console (the CSP's among them), and requests to elsewhere. */
  readonly problems: string[]
}

export async function openPage(browser: Browser, look: Look, url: string): Promise<WatchedPage> {
  const { width, height, mode } = look
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: mode })
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin)
      problems.push(`fetched from outside: ${request.url()}`)
  })
  await page.goto(url)
  await page.getByText('live', { exact: true }).waitFor()
  return { page, problems }
}

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
)

interface AxeViolation {
  readonly id: string
  readonly impact: string | null
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/** What axe finds serious or critical, a sentence each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  const violations = (await page.evaluate(
    '(async () => (await axe.run(document)).violations)()',
  )) as readonly AxeViolation[]
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} (${nodes[0]?.failureSummary})`)
}

/** Waits for what becomes true by itself. The page's CSP forbids Playwright's own way of waiting. */
export async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isTrue()); tries++) {
    assert.ok(tries < 300, 'it did not become true within 30 seconds')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export const isFocused = (place: Locator): Promise<boolean> =>
  place.evaluate((node) => node.matches(':focus'))

/** How much wider the page is than what is seen of it. */
export const overhang = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
