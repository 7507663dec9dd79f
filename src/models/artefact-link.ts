/** How scores become probabilities, as parameters and sections of an artefact, and back. */
import { damaged, type Section, type Sections } from './artefact-format.ts'
import { numbersIn } from './artefact-sections.ts'
import type { Link, RisingLine } from './link.ts'

type Parameters = Readonly<Record<string, unknown>>

export function encodeLink(link: Link): {
  readonly parameters: Parameters
  readonly sections: Sections
} {
  if (link.kind === 'softmax') {
    return { parameters: { kind: link.kind, scale: link.scale }, sections: {} }
  }
  const { kind } = link
  if (kind === 'one-vs-rest') return { parameters: { kind }, sections: {} }
  if (kind === 'sigmoid') {
    const { slopes, offsets } = link
    return { parameters: { kind }, sections: { linkSlopes: slopes, linkOffsets: offsets } }
  }
  const join = (axis: 'x' | 'y') => Float64Array.from(link.lines.flatMap((line) => [...line[axis]]))
  let end = 0
  const linkEnds = Uint32Array.from(link.lines, (line) => (end += line.x.length))
  return { parameters: { kind }, sections: { linkEnds, linkX: join('x'), linkY: join('y') } }
}

/** Throws `MODEL_DAMAGED`. */
export function decodeLink(
  { kind, scale }: Parameters,
  sections: Sections,
  labels: number,
  where: string,
): Link {
  const lines = labels === 2 ? 1 : labels
  if (kind === 'softmax' && typeof scale === 'number' && scale > 0 && Number.isFinite(scale)) {
    return { kind, scale }
  }
  if (kind === 'one-vs-rest') return { kind }
  if (kind === 'sigmoid') {
    const slopes = numbersIn(sections, 'linkSlopes', lines, where)
    return { kind, slopes, offsets: numbersIn(sections, 'linkOffsets', lines, where) }
  }
  if (kind === 'isotonic') return { kind, lines: decodeLines(sections, lines, where) }
  throw damaged(where, 'its header does not say how scores become probabilities')
}

function decodeLines(sections: Sections, count: number, where: string): RisingLine[] {
  const ends: Section | undefined = sections.linkEnds
  if (!(ends instanceof Uint32Array && ends.length === count)) {
    throw damaged(where, `its section 'linkEnds' does not hold ${count} numbers`)
  }
  const points = ends[count - 1]!
  const x = numbersIn(sections, 'linkX', points, where)
  const y = numbersIn(sections, 'linkY', points, where)
  return Array.from(ends, (end, line) => {
    const start = line === 0 ? 0 : ends[line - 1]!
    const found = { x: x.subarray(start, end), y: y.subarray(start, end) }
    const rises = found.x.every((at, place) => place === 0 || at > found.x[place - 1]!)
    const areShares = found.y.every((share) => share >= 0 && share <= 1)
    if (end <= start || !rises || !areShares)
      throw damaged(where, 'its calibration lines do not rise')
    return found
  })
}
