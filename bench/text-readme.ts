/** Puts what a benchmark printed where bench/README.md has it, between two markers. */

const begin = '<!-- bench:text -->'
const end = '<!-- bench:text ends -->'

/** The page with the report between its markers. */
export function withSection(page: string, report: string): string {
  const [before, rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`bench: the page has no ${begin} and ${end}`)
  return `${before}${begin}\n${report}\n${end}${after}`
}
