/** The panels that an application declares. */
import { Empty } from '../components/states.tsx'

export function PanelsView() {
  return (
    <Empty title="This application has no panels">
      An application may declare its own: shares, gauges, time lines, bars, tables and texts over
      what its pipelines write. They will stand here.
    </Empty>
  )
}
