/** A test tool: what people do in each view of the page while the spam filter runs. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { until } from '../web/page-testing.ts'

/** Reads as `12`, `1.2 k`, `97.3 %`; NaN where there is no figure. */
const figureIn = (text: string | null) => Number.parseFloat((text ?? '').replaceAll(',', ''))

const card = (page: Page, title: string) =>
  page.locator('.card', { has: page.getByRole('heading', { name: title, exact: true }) })

/** The id of a mail that has gone all the way; asked of the server as the page asks it. */
async function judgedMail(page: Page): Promise<string> {
  let found: string | undefined
  await until(async () => {
    found = (await page.evaluate(
      `fetch('api/topics/mails.judged/messages?limit=5').then((answer) => answer.json()).then(({ messages }) => messages.at(-1)?.value.id)`,
    )) as string | undefined
    return found !== undefined
  })
  return found!
}

export const visits: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  Overview: async (page) => {
    const big = (name: string) =>
      page.locator('.big', { has: page.locator('dt', { hasText: name }) }).locator('.big-value')
    await until(async () => figureIn(await big('Messages').getAttribute('title')) > 10)
    await until(async () => figureIn(await big('Accuracy so far').textContent()) > 85)
    await until(async () => figureIn(await big('Latency').textContent()) > 0)
    await page.getByText('6 of 6 pipelines run').waitFor()
    assert.equal(await page.getByText('not running').count(), 0)
    await page.locator('.canvas canvas').nth(4).waitFor()
    await card(page, 'Throughput').locator('summary').click()
    const throughput = page.getByRole('region', { name: 'Throughput' })
    await until(async () => (await throughput.locator('tbody tr').count()) >= 3)
    await page.getByRole('columnheader', { name: 'score', exact: true }).first().waitFor()
  },
  Pipelines: async (page) => {
    await page.getByRole('button', { name: 'step spam of score' }).click()
    await page.getByRole('heading', { name: 'score / spam' }).waitFor()
    await page.getByText("answered 'spam'").waitFor()
    const last = card(page, 'Last messages of mails.scored')
    await until(async () => (await last.locator('tbody tr').count()) === 8)
    await card(page, 'Errors of this step').getByText('None waits.').waitFor()
    const taken = page.locator('.facts > div', { hasText: /^in/ }).locator('dd').first()
    await until(async () => figureIn(await taken.getAttribute('title')) > 50)
  },
  Messages: async (page) => {
    const id = await judgedMail(page)
    await page.getByLabel('Topic').selectOption('mails.scored')
    await page.getByRole('heading', { name: 'Newest of mails.scored' }).waitFor()
    await page.getByRole('button', { name: 'Load older ones' }).click()
    await until(async () => (await page.locator('tbody tr').count()) === 100)
    await page.getByLabel('Topic').selectOption('mails')
    await page.getByRole('textbox', { name: 'Key' }).fill(id)
    await page.getByRole('button', { name: 'Search' }).first().click()
    await page.getByRole('heading', { name: 'Found in mails' }).waitFor()
    await page.getByRole('button', { name: /^Open the message at/ }).click()
    await page.getByRole('link', { name: 'What happened to this one?' }).click()
    const way = page.locator('.way').getByRole('heading', { level: 3 })
    await page.getByText('at last into mails.judged; nothing went wrong with it').waitFor()
    const named = async () =>
      (await way.allTextContents()).filter((name) => !name.endsWith('.repartition'))
    assert.deepEqual(await named(), ['mails', 'mails.scored', 'mails.judged'])
    // What was judged is a join: of its other side, the label, its own way tells.
    await way.getByRole('link', { name: 'mails.judged' }).click()
    await page.getByRole('button', { name: /^Open the message at/ }).click()
    await page.getByRole('link', { name: 'What happened to this one?' }).click()
    await way.getByRole('link', { name: 'labels' }).waitFor()
    assert.equal((await named()).length, 4)
  },
  Models: async (page) => {
    await page.getByRole('heading', { name: 'Versions of spam-filter' }).waitFor()
    // The newest was learnt with mails held back; the one that answers here with all of them.
    const confusion = card(page, 'Confusion matrix')
    await confusion.getByRole('rowheader', { name: 'spam' }).waitFor()
    const right = await confusion.locator('[class*="right-"]').allTextContents()
    assert.ok(right.length === 2 && right.every((text) => figureIn(text) > 20), `${right}`)
    await page.getByRole('link', { name: '1', exact: true }).click()
    await page.getByRole('heading', { name: 'Version 1', exact: true }).waitFor()
    await confusion.getByText('It was not stored with this version').waitFor()
    await page
      .getByLabel('Text')
      .fill('Dear friend, claim your free money now. Click here, no obligation, unsubscribe below.')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByText('Version 1 answers spam').waitFor()
    const widthOf = async (cell: string) =>
      (await page.locator(`.terms ${cell}`).first().boundingBox())!.width
    const [bar, figure] = [await widthOf('svg'), await widthOf('td.number')]
    assert.ok(bar > 1.5 * figure, `a bar has ${bar} px beside a figure of ${figure} px`)
    assert.ok((await page.locator('.terms svg').count()) > 5)
  },
  'Dead letters': async (page) => {
    await page.getByText(/^No dead letter of .* waits$/).waitFor()
  },
  Ledger: async (page) => {
    await page.getByText('Balanced: in every pipeline').waitFor()
    assert.equal(await page.locator('.bad').count(), 0)
    assert.equal(await page.locator('.card').count(), 6)
    await page
      .getByText(/^balanced: all [\d.]+( k)? messages? /)
      .nth(4)
      .waitFor()
  },
  Panels: async (page) => {
    assert.equal(await page.getByText('does not run now').count(), 0)
    await until(async () => figureIn(await page.locator('.gauge-number').textContent()) > 85)
    for (const title of ['Accuracy, as the mails change', 'Share of spam']) {
      const line = card(page, title)
      await line.locator('.canvas canvas').first().waitFor()
      await line.locator('summary').click()
      await until(async () => (await line.locator('tbody tr').count()) >= 2)
    }
    await card(page, 'What the model answered').getByText('spam', { exact: true }).waitFor()
    const terms = card(page, 'What made a mail spam').getByRole('rowheader')
    await until(async () => (await terms.count()) === 15)
    const mistakes = card(page, 'The newest mistakes').locator('tbody tr')
    await until(async () => (await mistakes.count()) >= 1)
  },
}
