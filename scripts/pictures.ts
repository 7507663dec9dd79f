/**
 * Takes the pictures of the page that the documentation shows: `node scripts/pictures.ts` runs the spam
 * filter, waits until its charts are filled and writes docs/images. Takes three minutes; wants a Chromium.
 */
import { mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import type { History, ModelsPage } from '../src/server/state.ts'
import { Demo, freshPage, spamFilter, spamFilterWithDays } from '../test/page-demo.ts'
import { chromiumPath, launch, until } from '../web/page-testing.ts'

const folder = path.join(import.meta.dirname, '..', 'docs', 'images')
/** Names of pictures; none: all. */
const chosenNames = process.argv.slice(2)
const mostBytes = 200_000
/** The stream of 4,031 mails, and the process with it, then outlasts what is done here. */
const speed = '27'
/** Charts show two whole minutes, then three. */
const fillMs = 113_000

/** A program wrote it: what people wrote to each other is not for pictures. */
const shownMail = 'easy-ham-2/01387'

/** One picture: where it is, what is done there first, how much of it is seen. */
interface Picture {
  readonly name: string
  readonly view: string
  readonly prepare?: (page: Page) => Promise<void>
  readonly height?: number
}

const ofSpamFilter: readonly Picture[] = [
  { name: 'overview', view: '', prepare: drawn, height: 905 },
  {
    name: 'pipelines',
    view: 'pipelines?pipeline=score&step=spam',
    prepare: stepShown,
    height: 900,
  },
  {
    name: 'messages',
    view: `messages?topic=mails.judged&key=${shownMail}`,
    prepare: traced,
    height: 940,
  },
  { name: 'models', view: 'models?version=2', prepare: explained, height: 900 },
  { name: 'panels', view: 'panels', prepare: drawn, height: 1330 },
]

const ofDays: readonly Picture[] = [
  { name: 'dead-letters', view: 'dead-letters?pipeline=days', prepare: chosen, height: 800 },
]

async function drawn(page: Page): Promise<void> {
  await page.locator('.canvas canvas').first().waitFor()
  await setTimeout(1500)
}

async function stepShown(page: Page): Promise<void> {
  await page.getByText("answered 'spam'").waitFor()
  await page.getByRole('heading', { name: 'Last messages of mails.scored' }).waitFor()
  await setTimeout(1500)
}

async function traced(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Open the message at/ }).click()
  await page.getByRole('link', { name: 'What happened to this one?' }).click()
  await page.locator('.way h3').nth(3).waitFor()
}

async function explained(page: Page): Promise<void> {
  const text =
    'Dear friend, you have been selected. Claim your free money now: click here, no obligation. To unsubscribe from our meeting notes, reply.'
  await page.getByLabel('Text').fill(text)
  await page.getByRole('button', { name: 'Explain' }).click()
  await page.locator('.terms').waitFor()
}

async function chosen(page: Page): Promise<void> {
  await page.getByRole('checkbox').nth(0).check()
  await page.getByRole('checkbox').nth(1).check()
}

async function take(browser: Browser, { url }: Demo, pictures: readonly Picture[]): Promise<void> {
  for (const { name, view, prepare, height = 900 } of pictures) {
    if (chosenNames.length > 0 && !chosenNames.includes(name)) continue
    const page = await browser.newPage({ viewport: { width: 1440, height }, colorScheme: 'light' })
    await page.goto(`${url}#/${view}`)
    await page.getByText('live', { exact: true }).waitFor()
    await prepare?.(page)
    const file = path.join(folder, `${name}.png`)
    await page.screenshot({ path: file, animations: 'disabled' })
    await page.close()
    const { size } = statSync(file)
    console.error(`${path.relative(process.cwd(), file)}: ${Math.round(size / 1000)} kB`)
    if (size > mostBytes) {
      console.error(`${name}: that is too much, show less of the page`)
      process.exitCode = 1
    }
  }
}

async function historyMs(demo: Demo): Promise<number> {
  const { points } = await demo.json<History>('api/history')
  return points.length === 0 ? 0 : points.at(-1)!.atMs - points[0]!.atMs
}

if (chromiumPath === undefined) throw new Error('there is no Chromium: set CHROMIUM_PATH')
mkdirSync(folder, { recursive: true })
await freshPage()
const browser = await launch()
const demo = new Demo(spamFilter)
const failing = new Demo(spamFilterWithDays)
try {
  await demo.start(['--speed', speed])
  // No model is needed for what fails.
  await failing.start(['--speed', '20', '--pipelines', 'ingest-mails,days'])
  console.error(`the demo runs for ${fillMs / 1000} s`)
  await until(async () => (await demo.json<ModelsPage>('api/models')).models.length > 0)
  await demo.train()
  while ((await historyMs(demo)) < fillMs) await setTimeout(500)
  await take(browser, demo, ofSpamFilter)
  await take(browser, failing, ofDays)
} catch (error) {
  console.error(demo.said, failing.said)
  throw error
} finally {
  await browser.close()
  await demo.remove()
  await failing.remove()
}
