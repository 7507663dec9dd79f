/** What an application imports from 'millrace/panels'. */
export type { FieldOf, NumberField, ValueAt, Where } from './field.ts'
export {
  type BarsOptions,
  bars,
  type GaugeOptions,
  gauge,
  type Measure,
  type Panel,
  type Panels,
  type PanelTopic,
  type PieOptions,
  panels,
  pie,
  type TableOptions,
  type TextOptions,
  type TimeLineOptions,
  table,
  text,
  timeLine,
} from './panel.ts'
