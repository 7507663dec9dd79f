/** What all cards of panels have: from what their figures are made, and what is said where there are none. */
import type { PanelView, TextView } from '../../src/server/state.ts'
import { hrefOf } from '../data/route.ts'
import { fullNumber, shortNumber } from '../format.ts'

type MessagesPanel = Exclude<PanelView, TextView>

/** What each card takes. */
export interface PanelProps<View> {
  readonly panel: View
  readonly wide: boolean
}

/** What is said in place of figures. */
export const emptyWords = ({ messages }: { messages: number }) =>
  messages === 0 ? 'Nothing came yet.' : 'Nothing to show: these messages have no value here.'

export function Origin({ of, more = [] }: { of: MessagesPanel; more?: readonly string[] }) {
  const { topic, messages, unreadable } = of
  const facts = [
    ...more,
    ...('isApproximate' in of && of.isApproximate
      ? ['figures are about right: there are too many different values to count each']
      : []),
    ...(unreadable > 0 ? [`${shortNumber(unreadable)} could not be read`] : []),
  ]
  return (
    <p>
      from{' '}
      <span class="figure" title={fullNumber(messages)}>
        {shortNumber(messages)}
      </span>{' '}
      {messages === 1 ? 'message' : 'messages'} of{' '}
      <a href={hrefOf('messages', { topic })}>{topic}</a>
      {facts.map((fact) => (
        <span key={fact.replace(/\d/g, '')}>; {fact}</span>
      ))}
    </p>
  )
}
