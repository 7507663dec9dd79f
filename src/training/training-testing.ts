/** For tests of training: mails that a model can mostly, not always, tell apart. */
import { seededRandom } from '../core/random.ts'
import type { LabelledTexts } from './labelled.ts'

export interface Mail {
  readonly id: number
  readonly body: string
  readonly kind: 'spam' | 'ham'
}

const words = {
  spam: ['win', 'prize', 'free', 'cash', 'offer', 'click', 'now', 'money'],
  ham: ['agenda', 'meeting', 'notes', 'monday', 'report', 'lunch', 'project', 'thanks'],
  both: ['the', 'a', 'we', 'you', 'for', 'please', 'to', 'and'],
}

/** The same for the same seed. */
export function mails(count: number, seed = 1, spamShare = 0.5): Mail[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, id) => {
    const kind = random() < spamShare ? 'spam' : 'ham'
    const own = random() < 0.12 ? (kind === 'spam' ? 'ham' : 'spam') : kind
    const body = Array.from({ length: 6 }, () => {
      const list = random() < 0.45 ? words[own] : words.both
      return list[Math.floor(random() * list.length)]!
    })
    return { id, body: `${body.join(' ')} ${id}`, kind }
  })
}

export function labelledMails(count: number, seed = 1): LabelledTexts {
  const rows = mails(count, seed)
  return { texts: rows.map(({ body }) => body), labels: rows.map(({ kind }) => kind) }
}

/** Takes what is told while it goes on. */
export const silent = () => {}
