/** The place where a chart is drawn. ECharts comes after the first paint; the place is kept till then. */
import { useEffect, useRef } from 'preact/hooks'
import type { Option } from '../charts/options.ts'
import { readTheme, type Theme } from '../charts/theme.ts'

type Engine = typeof import('../charts/engine.ts')
type Chart = ReturnType<Engine['init']>

let engine: Promise<Engine> | undefined

/** Once for all charts, when the browser has drawn what is there. */
function loadEngine(): Promise<Engine> {
  engine ??= new Promise<void>((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve, 0))
  }).then(() => import('../charts/engine.ts'))
  return engine
}

const darkness = matchMedia('(prefers-color-scheme: dark)')

export function Canvas(props: {
  /** What is to be seen, in a sentence. */
  readonly label: string
  readonly size?: 'line' | 'pie'
  readonly option: (theme: Theme) => Option
}) {
  const { label, size = 'line', option } = props
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<Chart | undefined>(undefined)
  const latest = useRef(option)
  latest.current = option

  const draw = () => {
    chart.current?.setOption(latest.current(readTheme()), { replaceMerge: ['series'] })
  }
  useEffect(() => {
    let isGone = false
    const sizes = new ResizeObserver(() => chart.current?.resize())
    loadEngine().then(
      ({ init }) => {
        if (isGone || place.current === null) return
        chart.current = init(place.current, null, { renderer: 'canvas' })
        draw()
        sizes.observe(place.current)
      },
      // The table below says the same; the next chart tries again.
      () => {
        engine = undefined
      },
    )
    darkness.addEventListener('change', draw)
    return () => {
      isGone = true
      sizes.disconnect()
      darkness.removeEventListener('change', draw)
      chart.current?.dispose()
      chart.current = undefined
    }
  }, [])
  useEffect(draw, [option])
  return <div ref={place} class={`canvas canvas-${size}`} role="img" aria-label={label} />
}
