/** A window in words, for plans. */
import { durationText } from '../core/duration.ts'
import type { Window } from './window.ts'

export function windowText(window: Window): string {
  const { latenessMs, emit } = window
  const late = latenessMs === 0 ? '' : `, ${durationText(latenessMs)} late`
  const when = emit === 'final' ? '' : ', told whenever they change'
  return `${kindText(window)}${late}${when}`
}

function kindText(window: Window): string {
  switch (window.kind) {
    case 'tumbling':
      return `windows of ${durationText(window.sizeMs)}`
    case 'hopping':
      return `windows of ${durationText(window.sizeMs)}, every ${durationText(window.everyMs)}`
    case 'sliding':
      return `windows of ${durationText(window.sizeMs)} that end with a message`
    case 'session':
      return `sessions that a silence of ${durationText(window.gapMs)} ends`
    case 'calendar':
      return `the ${window.unit}s of ${window.timeZone}`
  }
}
