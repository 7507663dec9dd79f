/** The table at the end: how often each fault was, and how long it took to recover from it. */
import type { Fault } from './fault.ts'
import type { Inflicted } from './schedule.ts'

const heads = ['fault', 'schedules', 'times', 'recovery (median)', 'longest']

export function tableOf(faults: readonly Fault[], inflicted: readonly Inflicted[]): string {
  const rows = faults.map(({ name }) => {
    const ones = inflicted.filter((one) => one.name === name)
    const times = ones.map(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b)
    const schedules = new Set(ones.map(({ seed }) => seed)).size
    const shown = [times[times.length >> 1], times.at(-1)].map((ms) =>
      ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`,
    )
    return [name, String(schedules), String(ones.length), ...shown]
  })
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]!.length)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
  return [heads, ...rows].map(line).join('\n')
}
