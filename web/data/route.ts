/** The address as a view and its words: `#/messages?topic=mails&id=7`. */
import { useEffect, useState } from 'preact/hooks'

export const views = [
  { path: '', title: 'Overview' },
  { path: 'pipelines', title: 'Pipelines' },
  { path: 'messages', title: 'Messages' },
  { path: 'models', title: 'Models' },
  { path: 'dead-letters', title: 'Dead letters' },
  { path: 'ledger', title: 'Ledger' },
  { path: 'panels', title: 'Panels' },
] as const

export type ViewPath = (typeof views)[number]['path']

export interface Route {
  /** Undefined: there is no such view. */
  readonly path: ViewPath | undefined
  readonly words: URLSearchParams
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const view = views.find((one) => one.path === path)
  return { path: view?.path, words: new URLSearchParams(query) }
}

/** The address of a view, for links; words that are undefined or empty are left out. */
export function hrefOf(
  path: ViewPath,
  words: Readonly<Record<string, string | undefined>> = {},
): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(words)) {
    if (value !== undefined && value !== '') query.set(name, value)
  }
  const text = query.toString()
  return `#/${path}${text === '' ? '' : `?${text}`}`
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash))
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash))
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return route
}

/** Goes there; `replace` leaves no step in the browser's history. */
export function go(href: string, replace = false): void {
  if (!replace) location.hash = href
  else {
    history.replaceState(null, '', href)
    dispatchEvent(new HashChangeEvent('hashchange'))
  }
}
