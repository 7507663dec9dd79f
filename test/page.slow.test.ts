/** The page in a real Chromium on the real server, beside the spam filter while it streams. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { DeadLettersPage, MessagesPage, ModelsPage, State } from '../src/server/state.ts'
import {
  chromiumPath,
  isFocused,
  launch,
  looks,
  openPage,
  overhang,
  pictures,
  reportMissingChromium,
  seriousFindings,
  until,
} from '../web/page-testing.ts'
import { Demo, freshPage, spamFilter, spamFilterWithDays } from './page-demo.ts'
import { visits } from './page-visits.ts'

const desktop = looks[0]!

describe('the page beside the running spam filter', () => {
  let browser: Browser
  const shots = pictures()
  const demo = new Demo(spamFilter)
  const failing = new Demo(spamFilterWithDays)
  const locked = new Demo(spamFilter)

  before(async () => {
    if (chromiumPath === undefined) return
    await freshPage()
    browser = await launch()
    // Slow enough to be still streaming when the last look is done.
    await demo.start(['--speed', '16'])
    await until(async () => (await demo.json<ModelsPage>('api/models')).models.length > 0)
    await demo.train()
  })
  after(async () => {
    shots.remove()
    for (const one of [demo, failing, locked]) await one.remove()
    await browser?.close()
  })

  const look = (name: string, run: (t: TestContext) => Promise<void>) =>
    it(name, async (t) => {
      if (chromiumPath === undefined) return reportMissingChromium((words) => t.diagnostic(words))
      return run(t)
    })

  for (const one of looks) {
    look(`shows every view, ${one.width} px, ${one.mode}`, async (t) => {
      const { page, problems } = await openPage(browser, one, demo.url)
      t.diagnostic(`first paint after ${(await firstPaintMs(page)).toFixed(0)} ms`)
      for (const [title, visit] of Object.entries(visits)) {
        await page.getByRole('navigation').getByRole('link', { name: title }).click()
        await page.getByRole('heading', { level: 1, name: title }).waitFor()
        await visit(page)
        assert.deepEqual(await seriousFindings(page), [], title)
        assert.equal(await overhang(page), 0, `${title} is wider than the page`)
        const name = `real-${title.toLowerCase().replace(' ', '-')}-${one.width}-${one.mode}`
        await page.screenshot({ path: shots.file(name), fullPage: true })
      }
      assert.deepEqual(problems, [])
      await page.close()
    })
  }

  look('replays a dead letter by hand once its step is mended, and drops another', async () => {
    await demo.kill()
    await failing.start(['--speed', '30'])
    const waiting = async () => {
      const { groups } = await failing.json<DeadLettersPage>('api/dead-letters/days')
      return groups.flatMap(({ letters }) => letters.map(({ id }) => id))
    }
    await until(async () => (await waiting()).length >= 7)
    const [replayed, dropped] = (await waiting()) as [string, string]
    const { page, problems } = await openPage(browser, desktop, failing.url)
    await page.getByRole('link', { name: /^Dead letters/ }).click()
    await page.getByRole('heading', { name: 'RangeError' }).waitFor()
    const letter = page.locator('.letters > li', { hasText: replayed })
    await letter.locator('summary').click()
    await letter.getByText(/nobody sent a mail of this collection in the year/).waitFor()
    await letter.getByRole('heading', { name: 'As it was read' }).waitFor()
    assert.deepEqual(await seriousFindings(page), [])
    await page.screenshot({ path: shots.file('real-dead-letter-open') })

    // What is not mended fails again, and comes back.
    await work(page, replayed, 'Replay')
    await page.getByText('1 dead letter was sent through the pipeline again.').waitFor()
    await until(async () => triesOf(await failing.json('api/dead-letters/days'), replayed) >= 2)

    writeFileSync(failing.mendedFile, '')
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByRole('link', { name: /^Dead letters/ }).click()
    await work(page, replayed, 'Replay')
    await letter.waitFor({ state: 'detached' })
    await work(page, dropped, 'Drop')
    await page.getByText('1 dead letter was dropped.').waitFor()
    await until(async () => !(await waiting()).some((id) => [replayed, dropped].includes(id)))
    await seeInTopic(page, replayed)
    const { messages } = await failing.json<MessagesPage>(
      `api/topics/mails.days/messages?${new URLSearchParams({ id: dropped })}`,
    )
    assert.deepEqual(messages, [], 'what was dropped was written all the same')
    assert.deepEqual(problems, [])
    await page.close()
  })

  look('says that the killed process is lost, and goes on with the next one', async () => {
    const { page } = await openPage(browser, desktop, failing.url)
    const status = page.getByRole('status')
    const counts = async () => {
      const { pipelines, processes } = await failing.json<State>('api/state')
      const score = pipelines.find(({ name }) => name === 'score')!
      const pids = processes.map(({ pid }) => pid)
      return { taken: score.steps[0]!.in, isBalanced: score.isBalanced, pids }
    }
    const before = await counts()
    await failing.kill()
    await status.getByText(/reconnecting since \d\d:\d\d:\d\d/).waitFor()
    assert.equal(await page.getByRole('heading', { name: 'Throughput' }).count(), 1)
    await page.screenshot({ path: shots.file('real-reconnecting') })
    await failing.start(['--speed', '30'])
    await status.getByText('live', { exact: true }).waitFor()
    // The page was not loaded again: its own counter goes on.
    await page.getByRole('link', { name: 'Ledger' }).click()
    const read = page
      .getByRole('region', { name: 'Steps of score' })
      .getByRole('row', { name: /^read/ })
      .getByRole('cell')
      .nth(1)
    const shown = async () => Number((await read.textContent())!.replaceAll(',', ''))
    await until(async () => (await shown()) > before.taken + 60)
    await page.getByText('Balanced: in every pipeline').waitFor()
    const { isBalanced, pids } = await counts()
    assert.ok(isBalanced)
    assert.ok(pids.some((pid) => !before.pids.includes(pid)))
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByText('7 of 7 pipelines run').waitFor()
    await page.close()
    await failing.kill()
  })

  look('asks for the token where others may ask, and keeps who gave it signed in', async () => {
    const token = 'a-token-of-this-test-0123456789'
    const flags = ['--host', '0.0.0.0', '--pipelines', 'ingest-mails']
    await locked.start(flags, { MILLRACE_TOKEN: token })
    assert.ok(!locked.said.includes(token), 'the token was printed where others read it')
    const page = await browser.newPage()
    await page.goto(locked.url)
    const status = page.getByRole('status')
    await status.getByText('a token is wanted').waitFor()
    assert.equal(await page.getByText('ingest-mails').count(), 0)
    assert.deepEqual(await seriousFindings(page), [])
    const field = page.getByLabel('Token', { exact: true })
    await field.fill('a-token-that-is-not-the-right-one')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByText('This did not work: this token is not ours.').waitFor()
    await page.screenshot({ path: shots.file('real-token') })
    await field.fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Throughput' }).waitFor()
    await page.reload()
    await status.getByText('live', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'ingest-mails' }).waitFor()
    assert.deepEqual(await seriousFindings(page), [])
    assert.doesNotMatch(String(await page.evaluate('document.cookie')), /millrace/)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await status.getByText('a token is wanted').waitFor()
    await page.reload()
    await status.getByText('a token is wanted').waitFor()
    await page.close()
  })
})

const firstPaintMs = async (page: Page) =>
  Number(
    await page.evaluate(
      `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN`,
    ),
  )

/** Chooses one letter, asks for the work, and says yes to the question. */
async function work(page: Page, id: string, action: 'Replay' | 'Drop'): Promise<void> {
  await page.getByRole('checkbox', { name: `Choose ${id}`, exact: true }).check()
  await page.getByRole('button', { name: `${action} the chosen 1` }).click()
  const dialog = page.getByRole('dialog', { name: `${action} 1 dead letter?` })
  await dialog.waitFor()
  assert.deepEqual(await seriousFindings(page), [])
  await dialog.getByRole('button', { name: action }).click()
  const outcome = page.locator('.notice', { hasText: /1 dead letter was/ })
  await outcome.waitFor()
  await until(() => isFocused(outcome))
}

const triesOf = ({ groups }: DeadLettersPage, id: string) =>
  groups.flatMap(({ letters }) => letters).find((letter) => letter.id === id)?.tries ?? 0

/** The message stands in the output, and its way says that nothing is wrong with it any more. */
async function seeInTopic(page: Page, id: string): Promise<void> {
  await page.getByRole('link', { name: 'Messages' }).click()
  await page.getByLabel('Topic').selectOption('mails.days')
  await page.getByLabel('Id').fill(id)
  await page.getByRole('button', { name: 'Search' }).first().click()
  await page.getByRole('button', { name: /^Open the message at/ }).click()
  await page
    .getByText(/"day": "\d{4}-/)
    .first()
    .waitFor()
  await page.getByRole('link', { name: 'What happened to this one?' }).click()
  await page.locator('.way').getByRole('link', { name: 'mails.days', exact: true }).waitFor()
  await page.getByText('nothing went wrong with it').waitFor()
}
