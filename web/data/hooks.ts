/** How views read the store, the address and the server. */
import { createContext } from 'preact'
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks'
import type { Known, Store } from './store.ts'

export const StoreContext = createContext<Store | undefined>(undefined)

/** What the page knows; draws again when there is news. */
export function useKnown(): Known {
  const store = useContext(StoreContext)
  if (store === undefined) throw new Error('useKnown: there is no store above this view')
  const [known, setKnown] = useState(store.shown)
  useEffect(() => {
    setKnown(store.shown)
    return store.subscribe(() => setKnown(store.shown))
  }, [store])
  return known
}

export type Loaded<Value> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'ready'; readonly value: Value; readonly atMs: number }

/**
 * Loads when `key` changes, when `reload` is called and every `everyMs` while the tab is seen. What is
 * shown stays until the new answer is there; an answer to an older question is dropped.
 */
export function useLoaded<Value>(
  key: string,
  load: () => Promise<Value>,
  everyMs?: number,
): { readonly loaded: Loaded<Value>; readonly reload: () => void } {
  const [loaded, setLoaded] = useState<Loaded<Value>>({ kind: 'loading' })
  const current = useRef({ key: '', load })
  current.current.load = load
  const reload = useCallback(() => {
    const asked = current.current.key
    const isCurrent = () => current.current.key === asked
    current.current.load().then(
      (value) => isCurrent() && setLoaded({ kind: 'ready', value, atMs: Date.now() }),
      (error: Error) => isCurrent() && setLoaded({ kind: 'failed', message: error.message }),
    )
  }, [])
  useEffect(() => {
    current.current.key = key
    setLoaded({ kind: 'loading' })
    reload()
    if (everyMs === undefined) return undefined
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), everyMs)
    return () => clearInterval(timer)
  }, [key, everyMs, reload])
  useEffect(
    () => () => {
      current.current.key = 'nobody waits any more'
    },
    [],
  )
  return { loaded, reload }
}
