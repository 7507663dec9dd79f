/** The page in a real Chromium, on a server with made-up figures: every view, used as people use it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Board } from '../src/server/state.ts'
import { type FakeOptions, type FakeServer, startFakeServer } from './fake-server.ts'
import { FakeWorld } from './fake-world.ts'
import {
  type BuiltPage,
  buildPage,
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
} from './page-testing.ts'

const desktop = looks[0]!

/** Opens a view by its link, and does there what people do. */
const visits: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  Overview: async (page) => {
    await page.locator('.canvas canvas').first().waitFor()
    await page.locator('summary').first().click()
    await until(async () => (await page.locator('.cards tbody tr').count()) >= 10)
  },
  Pipelines: async (page) => {
    await page.getByRole('button', { name: 'step spam of score' }).click()
    await page.getByRole('heading', { name: 'score / spam' }).waitFor()
    await page.getByText("answered 'spam'").waitFor()
    await page.getByText('generation 14, 3 rebalances, the last').waitFor()
    const partitions = page.getByRole('region', { name: 'Partitions of score' })
    await partitions.getByRole('cell', { name: 'mails/1' }).waitFor()
    await partitions.getByRole('cell', { name: 'mill-2.example.internal, process 12345' }).waitFor()
    assert.equal(await partitions.getByRole('cell', { name: 'nobody' }).count(), 1)
    await page.getByRole('heading', { name: 'Last messages of mails.scored' }).waitFor()
    await page.getByRole('cell', { name: 'TypeError' }).waitFor()
    assert.equal(await page.getByRole('heading', { name: 'Event time and state' }).count(), 0)
    await page.getByRole('button', { name: 'step counts of by-hour' }).click()
    const kept = page.getByRole('region', { name: 'Event time and state of by-hour' })
    await kept.getByRole('cell', { name: '48 k' }).waitFor()
    await page.getByText('restoring state of step counts, partition 2: 40 %').first().waitFor()
    await kept.getByRole('cell', { name: '1.6 min' }).waitFor()
    await kept.getByRole('cell', { name: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/ }).waitFor()
  },
  Messages: async (page) => {
    await page.getByLabel('Topic').selectOption('mails.scored')
    await page.getByRole('heading', { name: 'Newest of mails.scored' }).waitFor()
    await page.getByRole('button', { name: 'Load older ones' }).click()
    await until(async () => (await page.locator('tbody tr').count()) === 100)
    await page.getByLabel('Key').fill('mail-207')
    await page.getByRole('button', { name: 'Search' }).first().click()
    await page.getByRole('button', { name: 'Open the message at 3/207' }).click()
    await page.getByRole('link', { name: 'What happened to this one?' }).click()
    await page.getByText('at last into mails.judged').waitFor()
  },
  Models: async (page) => {
    await page.getByRole('link', { name: '1', exact: true }).click()
    await page.getByText('spam has only 111 rows').waitFor()
    await page.getByRole('columnheader', { name: 'recall' }).waitFor()
    await page.getByLabel('Text').fill('claim your free prize')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByText('Version 1 answers').waitFor()
    assert.equal(await page.locator('.terms tbody tr').count(), 6)
  },
  'Dead letters': async (page) => {
    await page.locator('.letters summary').first().click()
    await page.getByRole('heading', { name: 'As it was read' }).waitFor()
    await page.locator('.letter-message').getByText("reading 'subject'").waitFor()
  },
  Ledger: async (page) => {
    await page.getByText('Balanced: in every pipeline').waitFor()
    assert.equal(await page.locator('.bad').count(), 0)
  },
  Panels: async (page) => {
    await page.getByRole('heading', { level: 2, name: 'Where it comes from' }).waitFor()
    const card = (title: string) =>
      page.locator('.card', { has: page.getByRole('heading', { level: 3, name: title }) })
    await card('Accuracy')
      .getByText(/^9\d\.\d %$/)
      .waitFor()
    await card('Accuracy').getByText('on a scale from').waitFor()
    const pie = card('What came')
    await pie.getByText('12 could not be read').waitFor()
    await pie.locator('summary').click()
    await pie.getByRole('cell', { name: 'all others' }).waitFor()
    await card('As it came').locator('.canvas canvas').nth(1).waitFor()
    const history = card('Share of spam')
    await history.getByText('3 Jan 2002 to 20 Feb 2003').waitFor()
    await history.getByText('a point covers 7 days').waitFor()
    await history.locator('summary').click()
    await history.getByRole('cell', { name: '20 Feb 2003' }).waitFor()
    assert.equal(await card('Senders').getByRole('rowheader').count(), 6)
    const widths = await card('Senders')
      .locator('rect')
      .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('width'))))
    assert.deepEqual(widths.map(Math.round), [100, 50, 33, 25, 20, 17])
    await card('Newest mails').getByRole('cell', { name: 'Re: the meeting' }).first().waitFor()
    assert.equal(await card('Complaints over time').getByText('Nothing came yet.').count(), 1)
  },
}

describe('web: the page', () => {
  let built: BuiltPage
  let server: FakeServer
  let browser: Browser
  const shots = pictures()
  /** Of single tests; they are ended also when a test fails. */
  const others: FakeServer[] = []
  const serve = async (options: FakeOptions) => {
    const started = await startFakeServer({ directory: built.directory, ...options })
    others.push(started)
    return started
  }

  before(async () => {
    if (chromiumPath === undefined) return
    built = await buildPage()
    server = await startFakeServer({ directory: built.directory })
    browser = await launch()
  })
  after(async () => {
    shots.remove()
    if (chromiumPath === undefined) return
    await browser.close()
    for (const one of [server, ...others]) await one.kill()
    built.remove()
  })

  const look = (name: string, run: () => Promise<void>) =>
    it(name, async (t) => {
      if (chromiumPath === undefined) return reportMissingChromium((words) => t.diagnostic(words))
      return run()
    })

  for (const one of looks) {
    look(`shows every view, ${one.width} px, ${one.mode}`, async () => {
      const { page, problems } = await openPage(browser, one, server.url)
      for (const [title, visit] of Object.entries(visits)) {
        await page.getByRole('navigation').getByRole('link', { name: title }).click()
        await page.getByRole('heading', { level: 1, name: title }).waitFor()
        await visit(page)
        assert.deepEqual(await seriousFindings(page), [], title)
        assert.equal(await overhang(page), 0, `${title} is wider than the page`)
        const name = `${title.toLowerCase().replace(' ', '-')}-${one.width}-${one.mode}`
        await page.screenshot({ path: shots.file(name), fullPage: true })
      }
      assert.deepEqual(problems, [])
      await page.close()
    })
  }

  look('replays the chosen dead letters after a confirmation, by the keyboard', async () => {
    const { page, problems } = await openPage(browser, desktop, `${server.url}#/dead-letters`)
    const before = server.world.groups('score').flatMap(({ letters }) => letters).length
    const boxes = page.getByRole('checkbox')
    await boxes.nth(0).check()
    await boxes.nth(1).check()
    const replay = page.getByRole('button', { name: 'Replay the chosen 2' })
    await replay.focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Replay 2 dead letters?' })
    await dialog.waitFor()
    assert.deepEqual(await seriousFindings(page), [])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    assert.equal(await isFocused(replay), true)
    await page.keyboard.press('Enter')
    await dialog.getByRole('button', { name: 'Replay' }).click()
    const outcome = page.getByText('2 dead letters were sent through the pipeline again.')
    await outcome.waitFor()
    assert.equal(await isFocused(outcome), true)
    const left = server.world.groups('score').flatMap(({ letters }) => letters).length
    assert.ok(left === before - 2 || left === before - 1, `${before} before, ${left} left`)
    assert.deepEqual(problems, [])
    await page.close()
  })

  look('drops a whole group, and says when there is none', async () => {
    const { page } = await openPage(browser, desktop, `${server.url}#/dead-letters?pipeline=score`)
    await page
      .getByRole('button', { name: /^Drop all/ })
      .first()
      .click()
    await page.getByRole('dialog').getByRole('button', { name: 'Drop' }).click()
    await page.getByText(/were dropped\.$/).waitFor()
    await page.getByLabel('Pipeline').selectOption('judge')
    await page.getByText('No dead letter of judge waits').waitFor()
    await page.close()
  })

  look('says that it reconnects when the server is killed, and that it is live again', async () => {
    const own = await serve({})
    const { page } = await openPage(browser, desktop, own.url)
    const status = page.getByRole('status')
    await own.kill()
    await status.getByText(/reconnecting since \d\d:\d\d:\d\d/).waitFor()
    await page.screenshot({ path: shots.file('reconnecting') })
    // What was known stays.
    assert.equal(await page.getByRole('heading', { name: 'Throughput' }).count(), 1)
    await page.getByRole('link', { name: 'Models' }).click()
    await page.getByText('the server cannot be reached').waitFor()
    const world = new FakeWorld(30)
    await serve({ port: own.port, world })
    await status.getByText('live', { exact: true }).waitFor({ timeout: 30_000 })
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Versions of spam-filter' }).waitFor()
    await page.close()
  })

  look(
    'moves nothing but figures when news come, and keeps what is typed and focused',
    async () => {
      const { page } = await openPage(browser, desktop, server.url)
      await page.locator('.canvas canvas').nth(4).waitFor()
      const boxes = () =>
        page.evaluate(
          '[...document.querySelectorAll(".card, .big, .legend, th")].map((node) => { const { x, y, width, height } = node.getBoundingClientRect(); return [x, y, width, height].map(Math.round).join() })',
        ) as Promise<string[]>
      const figure = page.locator('.big-value').first()
      const [placesBefore, figureBefore] = [await boxes(), await figure.getAttribute('title')]
      await until(async () => (await figure.getAttribute('title')) !== figureBefore)
      const moved = (await boxes()).filter((box, index) => box !== placesBefore[index])
      assert.deepEqual(moved, [])
      await page.getByRole('link', { name: 'Panels' }).click()
      await page.locator('.gauge').first().waitFor()
      const panelsBefore = await boxes()
      const newest = page.getByRole('cell', { name: /^mail-/ }).first()
      const mailBefore = await newest.textContent()
      await until(async () => (await newest.textContent()) !== mailBefore)
      const movedPanels = (await boxes()).filter((box, index) => box !== panelsBefore[index])
      assert.deepEqual(movedPanels, [])
      await page.getByRole('link', { name: 'Messages' }).click()
      await page.getByLabel('Key').fill('half a ke')
      await page.waitForTimeout(2500)
      assert.equal(await page.getByLabel('Key').inputValue(), 'half a ke')
      assert.equal(await isFocused(page.getByLabel('Key')), true)
      await page.close()
    },
  )

  look('draws nothing while its tab is hidden, and all at once when it is seen again', async () => {
    const { page } = await openPage(browser, desktop, server.url)
    const figure = page.locator('.big-value').first()
    const see = (state: 'hidden' | 'visible') =>
      page.evaluate(
        `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
      )
    await see('hidden')
    await page.waitForTimeout(1200)
    const seen = await figure.getAttribute('title')
    await page.waitForTimeout(3000)
    assert.equal(await figure.getAttribute('title'), seen)
    await see('visible')
    await until(async () => (await figure.getAttribute('title')) !== seen)
    await page.close()
  })

  look('goes by the keyboard: past the navigation, and to a step of the graph', async () => {
    const { page } = await openPage(browser, desktop, `${server.url}#/pipelines`)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate('document.activeElement.id'), 'main')
    const step = page.getByRole('button', { name: 'step not-empty of score' })
    await step.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'score / not-empty' }).waitFor()
    await page.waitForTimeout(1500)
    assert.equal(await isFocused(step), true)
    await page.close()
  })

  look('says in words what is empty and what went wrong', async () => {
    const { page } = await openPage(browser, desktop, `${server.url}#/nowhere`)
    await page.getByText('There is no such view').waitFor()
    await page.route('**/api/models', (route) => route.fulfill({ json: { models: [] } }))
    await page.goto(`${server.url}#/models`)
    await page.getByText('No model is registered yet').waitFor()
    const body = { code: 'LOG_BUSY', message: 'the log is busy, try again in a moment' }
    await page.route('**/api/topics/**', (route) => route.fulfill({ status: 503, json: body }))
    await page.goto(`${server.url}#/messages`)
    await page.getByText('the log is busy, try again in a moment').waitFor()
    await page.route('**/api/dead-letters/**', (route) =>
      route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }),
    )
    await page.goto(`${server.url}#/dead-letters`)
    await page.getByText('the server answered 502 Bad Gateway').waitFor()
    await page.close()
  })

  look('says what is wrong, and what there is not yet', async () => {
    const { state } = server.world
    const [first, ...others] = state.pipelines
    const broken = {
      ...first!,
      members: 0,
      latencyMs: null,
      isBalanced: false,
      imbalances: ['step to-mails: 3 of 100 messages have no disposition'],
    }
    const reason = 'pipeline ingest-mails: no progress for 40 s with 812 messages waiting'
    const bad = { health: { isReady: false, reasons: [reason] }, pipelines: [broken, ...others] }
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } })
    const tell = async (part: object) => {
      await page.unroute('**/api/events')
      const body = `event: state\ndata: ${JSON.stringify({ ...state, ...part })}\n\n`
      await page.route('**/api/events', (route) =>
        route.fulfill({ contentType: 'text/event-stream', body }),
      )
      await page.goto('about:blank')
      await page.goto(server.url)
    }
    await tell(bad)
    await page.getByText(reason).waitFor()
    await page.getByText('not running').waitFor()
    assert.deepEqual(await seriousFindings(page), [])
    await page.screenshot({ path: shots.file('not-ready') })
    await page.getByRole('link', { name: 'Ledger' }).click()
    await page.getByText('Not balanced: ingest-mails.').waitFor()
    await page.getByText('3 of 100 messages').waitFor()
    await page.screenshot({ path: shots.file('not-balanced') })
    await tell({ pipelines: [], topics: [], processes: [], figures: {}, about: null })
    await page.getByText('No pipeline ran here yet').waitFor()
    assert.deepEqual(await seriousFindings(page), [])
    await page.screenshot({ path: shots.file('nothing-yet'), fullPage: true })
    await page.getByRole('link', { name: 'Messages' }).click()
    await page.getByText('There are no topics yet').waitFor()
    await page.close()
  })

  look('says how old panels are, whose, and when there are none', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } })
    const { state, panels } = server.world
    const [board] = panels.boards
    const tell = async (boards: readonly Board[]) => {
      await page.unroute('**/api/events')
      const news = { state, panels: { boards } }
      const body = Object.entries(news).map(
        ([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`,
      )
      await page.route('**/api/events', (route) =>
        route.fulfill({ contentType: 'text/event-stream', body: body.join('') }),
      )
      await page.goto('about:blank')
      await page.goto(`${server.url}#/panels`)
    }
    const nothing = [{ title: 'Later', panels: [] }]
    const old = { app: 'a-crawler', atMs: state.atMs - 190_000, sections: nothing }
    await tell([old, { ...board!, atMs: state.atMs }])
    await page.getByText('As of 3 min ago: its application does not run now.').waitFor()
    await page.getByText('No panel is declared here.').waitFor()
    const names = await page.getByRole('heading', { level: 2 }).allTextContents()
    assert.deepEqual(names, ['spam-filter', 'a-crawler'])
    await page.getByRole('heading', { level: 4, name: 'Accuracy' }).waitFor()
    assert.equal(await page.getByText('As of').count(), 1)
    assert.deepEqual(await seriousFindings(page), [])
    await page.screenshot({ path: shots.file('panels-of-two'), fullPage: true })
    await tell([])
    await page.getByText('This application has no panels').waitFor()
    await page.getByText("from 'millrace/panels'").waitFor()
    assert.deepEqual(await seriousFindings(page), [])
    assert.equal(await overhang(page), 0)
    await page.screenshot({ path: shots.file('no-panels') })
    await page.close()
  })

  look('asks for the token that a server wants', async () => {
    const locked = await serve({ token: 'right' })
    const page = await browser.newPage()
    await page.goto(locked.url)
    await page.getByRole('status').getByText('a token is wanted').waitFor()
    assert.deepEqual(await seriousFindings(page), [])
    await page.getByLabel('Token', { exact: true }).fill('wrong')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByText('this token is not ours').waitFor()
    await page.screenshot({ path: shots.file('token') })
    await page.getByLabel('Token', { exact: true }).fill('right')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Throughput' }).waitFor()
    await page.close()
  })

  it('loads the charts only after the first paint', async (t) => {
    if (chromiumPath === undefined) return reportMissingChromium((words) => t.diagnostic(words))
    const { page } = await openPage(browser, desktop, server.url)
    await page.locator('.canvas canvas').first().waitFor()
    const [paintedMs, chartsMs] = (await page.evaluate(
      `[performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.getEntriesByType('resource').find(({ name }) => /engine-.*[.]js$/.test(name)).startTime]`,
    )) as [number, number]
    t.diagnostic(
      `first paint after ${paintedMs.toFixed(0)} ms, charts asked for after ${chartsMs.toFixed(0)} ms`,
    )
    assert.equal(await page.locator('link[rel=modulepreload]').count(), 0)
    await page.close()
  })
})
