/** What ECharts is told: lines over time, and shares. Tooltips are drawn, not HTML: the CSP wants it so. */
import type { LineSeriesOption, PieSeriesOption } from 'echarts/charts'
import type { GridComponentOption, TooltipComponentOption } from 'echarts/components'
import type { ComposeOption } from 'echarts/core'
import { clockTime } from '../format.ts'
import { isLonely } from './gaps.ts'
import { type TimeSeries, windowOf } from './series.ts'
import { seriesIndex, type Theme } from './theme.ts'

export type Option = ComposeOption<
  LineSeriesOption | PieSeriesOption | GridComponentOption | TooltipComponentOption
>

export interface LineStyle {
  readonly isStacked?: boolean
  readonly isShare?: boolean
  /** The axis need not begin at zero. */
  readonly isClose?: boolean
  /** How a value is written, at the axis and in the tooltip. */
  readonly write: (value: number) => string
  /** How it is written at the axis, if not so. */
  readonly writeAxis?: (value: number) => string
  /** Default: by the reader's clock. */
  readonly times?: TimeStyle
}

/** How times are written. */
export interface TimeStyle {
  readonly isUtc: boolean
  readonly atAxis: (timeMs: number) => string
  readonly inFull: (timeMs: number) => string
}

const byTheClock: TimeStyle = { isUtc: false, atAxis: clockTime, inFull: clockTime }

export function linesOption(
  { timesMs, series, window = windowOf(timesMs) }: TimeSeries,
  style: LineStyle,
  theme: Theme,
): Option {
  const { isStacked = false, write, times = byTheClock } = style
  const { writeAxis = (value: number) => withoutZeros(write(value)) } = style
  const text = { color: theme.quiet, fontFamily: theme.font, fontSize: 11 }
  return {
    animation: false,
    useUTC: times.isUtc,
    grid: { left: 52, right: 10, top: 10, bottom: 24 },
    tooltip: tooltip(theme, write, times.inFull),
    xAxis: {
      type: 'time',
      min: window.fromMs,
      max: window.toMs,
      splitNumber: 4,
      axisLine: { lineStyle: { color: theme.line } },
      axisTick: { show: false },
      axisLabel: { ...text, hideOverlap: true, formatter: times.atAxis },
    },
    yAxis: {
      type: 'value',
      ...scaleOf(style, series),
      splitNumber: 4,
      splitLine: { lineStyle: { color: theme.line } },
      axisLabel: { ...text, formatter: writeAxis },
    },
    series: series.map(({ name, values, isDashed = false, colour }, index) => {
      const color = theme.series[(colour ?? seriesIndex(index)) - 1]!
      return {
        type: 'line' as const,
        name,
        data: values.map((value, at) => {
          const point = [timesMs[at]!, value]
          return isLonely(values, at) ? { value: point, symbol: 'circle', symbolSize: 5 } : point
        }),
        symbol: 'none',
        color,
        lineStyle: { width: isStacked ? 1 : 1.5, type: isDashed ? ('dashed' as const) : 'solid' },
        ...(isStacked ? { stack: 'all', areaStyle: { color, opacity: 0.75 } } : {}),
        emphasis: { disabled: true },
      }
    }),
  }
}

/** `1.0 k` -> `1 k`: at an axis only what differs is read. */
const withoutZeros = (text: string) => text.replace(/\.0+(?= |$)/, '')

const steps = [0.01, 0.02, 0.05, 0.1, 0.2]

/** Shares are near to each other: their axis holds them closely, from one round share to another. */
function scaleOf({ isShare = false, isClose = false }: LineStyle, series: TimeSeries['series']) {
  const values = series.flatMap((one) => one.values.filter((value) => value !== null))
  if (isClose) return { scale: true }
  if (!isShare) return values.some((value) => value < 0) ? {} : { min: 0 }
  const [least, most] = [Math.min(1, ...values), Math.max(0, ...values)]
  const interval = steps.find((step) => most - least <= 4 * step) ?? 0.2
  const min = Math.max(0, Math.floor(least / interval) * interval)
  return {
    min,
    max: Math.min(1, Math.max(min + interval, Math.ceil(most / interval) * interval)),
    interval,
  }
}

function tooltip(
  theme: Theme,
  write: (value: number) => string,
  writeTime: (timeMs: number) => string,
): TooltipComponentOption {
  return {
    trigger: 'axis',
    renderMode: 'richText',
    confine: true,
    transitionDuration: 0,
    backgroundColor: theme.surface,
    borderColor: theme.line,
    borderWidth: 1,
    padding: 8,
    textStyle: { color: theme.text, fontFamily: theme.font, fontSize: 12 },
    axisPointer: { type: 'line', lineStyle: { color: theme.quiet }, animation: false },
    formatter: (found) => {
      const rows = Array.isArray(found) ? found : [found]
      const timeMs = Number((rows[0]?.value as readonly number[] | undefined)?.[0])
      const lines = rows.map(({ seriesName, value }) => {
        const figure = (value as readonly (number | null)[])[1]
        return `${seriesName}: ${figure === null || figure === undefined ? '-' : write(figure)}`
      })
      return [writeTime(timeMs), ...lines].join('\n')
    },
  }
}

export interface Share {
  readonly name: string
  readonly count: number
  /** Default: by its place. */
  readonly colour?: number
}

export function sharesOption(shares: readonly Share[], theme: Theme): Option {
  return {
    animation: false,
    series: [
      {
        type: 'pie',
        radius: ['56%', '92%'],
        silent: true,
        label: { show: false },
        itemStyle: { borderColor: theme.surface, borderWidth: 2 },
        data: shares.map(({ name, count, colour }, index) => ({
          name,
          value: count,
          itemStyle: { color: theme.series[(colour ?? seriesIndex(index)) - 1]! },
        })),
      },
    ],
  }
}
