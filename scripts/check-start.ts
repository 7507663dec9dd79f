/**
 * Reads what `npm start --silent -- --until-caught-up --json` printed, from stdin, and says whether it
 * is what the README promises a newcomer: one line, 4,031 mails, a balanced ledger, the accuracy.
 */
import { text } from 'node:stream/consumers'

const complaints = complaintsAbout(await text(process.stdin))
for (const complaint of complaints) console.log(`  ${complaint}`)
console.log(complaints.length === 0 ? 'ok   npm start' : 'FAIL npm start')
process.exitCode = complaints.length === 0 ? 0 : 1

function complaintsAbout(printed: string): string[] {
  const lines = printed.trimEnd().split('\n')
  if (lines.length !== 1) return [`stdout has ${lines.length} lines, not one:\n${printed}`]
  console.log(`  ${lines[0]}`)
  let figures: Record<string, unknown>
  try {
    figures = JSON.parse(lines[0]!) as Record<string, unknown>
  } catch {
    return [`stdout is not JSON: ${printed}`]
  }
  const numbers = ['macroF1', 'spamRecall', 'spamPrecision', 'falsePositiveRate', 'seconds']
  return [
    ...expect(figures.messages === 4031, `messages: ${figures.messages}, not 4031`),
    ...expect(figures.ledger === 'balanced', `ledger: ${figures.ledger}, not balanced`),
    ...expect(figures.deadLetters === 0, `deadLetters: ${figures.deadLetters}, not 0`),
    ...expect(Number(figures.accuracy) >= 0.955, `accuracy: ${figures.accuracy}, under 0.955`),
    ...numbers.flatMap((name) =>
      expect(typeof figures[name] === 'number', `${name}: ${figures[name]}, not a number`),
    ),
  ]
}

function expect(holds: boolean, complaint: string): string[] {
  return holds ? [] : [complaint]
}
