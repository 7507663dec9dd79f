/** Numbers, times and values as people read them. What is shortened has the full text in `title`. */

const scales = [
  { from: 1e12, unit: 'T' },
  { from: 1e9, unit: 'G' },
  { from: 1e6, unit: 'M' },
  { from: 1e3, unit: 'k' },
] as const

/** `999`, `1.2 k`, `34 k`, `3.4 M`. Two digits that count, three from a hundred on. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  const scale = scales.find(({ from }) => size >= from * 0.9995)
  if (scale === undefined) return plainNumber(value)
  const scaled = value / scale.from
  return `${scaled.toFixed(Math.abs(scaled) < 9.95 ? 1 : 0)} ${scale.unit}`
}

function plainNumber(value: number): string {
  if (Number.isInteger(value)) return String(value)
  const size = Math.abs(value)
  return value.toFixed(size >= 99.5 ? 0 : size >= 0.0995 ? 1 : 2)
}

/** `0.953`, `12.3`, `5`, from a thousand on as `shortNumber`: of means and sums three digits count. */
export function threeDigits(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (Number.isInteger(value) || Math.abs(value) >= 999.5) return shortNumber(value)
  return value.toPrecision(3)
}

/** `12.5 k`, `0.25`: as many digits as neighbours on an axis need to differ, and no more. */
export function axisNumber(value: number): string {
  const scale = scales.find(({ from }) => Math.abs(value) >= from)
  const digits = String(Number((value / (scale?.from ?? 1)).toPrecision(4)))
  return scale === undefined ? digits : `${digits} ${scale.unit}`
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 3 })

/** `1,234,567.891`: for titles and tables that are to be checked. */
export const fullNumber = (value: number) => (Number.isFinite(value) ? grouped.format(value) : '-')

/** `0.8 ms`, `12 ms`, `1.2 s`, `3.5 min`. */
export function shortDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '-'
  if (ms < 0.995) return `${ms.toFixed(2)} ms`
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${ms.toFixed(0)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 3_597_000) return `${(ms / 60_000).toFixed(1)} min`
  if (ms < 86_400_000) return `${(ms / 3_600_000).toFixed(1)} h`
  return `${(ms / 86_400_000).toFixed(1)} d`
}

/** `512 B`, `1.5 MiB`. */
export function shortBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`
}

/** `5 %`, `97.5 %`. */
export const axisPercent = (share: number) => `${axisNumber(share * 100)} %`

/** `97.3 %`. */
export const percent = (share: number) =>
  Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : '-'

const pad = (value: number, digits = 2) => String(value).padStart(digits, '0')

/** `14:03:12`, of the reader's own clock. */
export function clockTime(timeMs: number): string {
  const date = new Date(timeMs)
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
}

/** `14:03:12`; with its day where that is another than the reader's: `2002-10-02 14:03`. */
export function shortTime(timeMs: number, nowMs: number): string {
  const day = dayOf(timeMs)
  return day === dayOf(nowMs) ? clockTime(timeMs) : `${day} ${clockTime(timeMs).slice(0, 5)}`
}

function dayOf(timeMs: number): string {
  const date = new Date(timeMs)
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}

/** `2026-03-09 14:03:12.250`. */
export function fullTime(timeMs: number): string {
  const milliseconds = new Date(timeMs).getMilliseconds()
  return `${dayOf(timeMs)} ${clockTime(timeMs)}.${pad(milliseconds, 3)}`
}

/** `12 s ago`, `3 h ago`. */
export function ageText(timeMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - timeMs) / 1000))
  if (seconds < 1) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

/** `1 message`, `3 messages`, `1.2 k messages`. */
export const counted = (count: number, one: string, many = `${one}s`) =>
  `${shortNumber(count)} ${count === 1 ? one : many}`

/** A value on one line, for tables. */
export function oneLine(value: unknown, length = 160): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  const flat = text.replace(/\s+/g, ' ')
  return flat.length > length ? `${flat.slice(0, length)}...` : flat
}

/** A value as it is read: JSON with indents, text as it is. */
export const pretty = (value: unknown) =>
  typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '')

/** Bytes as text where they are UTF-8, else as a table of hexadecimal figures. */
export function rawText(base64: string): { readonly text: string; readonly isText: boolean } {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), isText: true }
  } catch {
    return { text: hexLines(bytes), isText: false }
  }
}

function hexLines(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let start = 0; start < bytes.length; start += 16) {
    const row = bytes.subarray(start, start + 16)
    const figures = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const letters = [...row].map((byte) =>
      byte > 31 && byte < 127 ? String.fromCharCode(byte) : '.',
    )
    lines.push(`${start.toString(16).padStart(6, '0')}  ${figures.padEnd(47)}  ${letters.join('')}`)
  }
  return lines.join('\n')
}
