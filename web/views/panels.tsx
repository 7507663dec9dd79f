/** The panels that applications declare, filled with what their pipelines write. */
import type { Board, Section } from '../../src/server/state.ts'
import { CardLevel } from '../components/chart.tsx'
import { Empty, Loading, WithState } from '../components/states.tsx'
import { useKnown } from '../data/hooks.ts'
import { ageText } from '../format.ts'
import { PanelCard } from './panel-cards.tsx'
import { inOrder, isStale, widePlaces } from './panel-layout.ts'

export function PanelsView() {
  const { panels } = useKnown()
  return (
    <WithState>
      {({ atMs }) => {
        if (panels === undefined) return <Loading what="the panels" />
        const boards = inOrder(panels.boards, atMs)
        if (boards.length === 0) return <NoPanels />
        return (
          <>
            {boards.map((board) => (
              <BoardView key={board.app} board={board} nowMs={atMs} isNamed={boards.length > 1} />
            ))}
          </>
        )
      }}
    </WithState>
  )
}

interface BoardProps {
  readonly board: Board
  readonly nowMs: number
  /** Among several its name is said. */
  readonly isNamed: boolean
}

function BoardView({ board, nowMs, isNamed }: BoardProps) {
  const { app, atMs, sections } = board
  return (
    <div class="board">
      {isNamed && <h2 class="board-title">{app}</h2>}
      {isStale(board, nowMs) && (
        <p class="notice">As of {ageText(atMs, nowMs)}: its application does not run now.</p>
      )}
      {sections.map((section, place) => (
        <SectionView key={`${place} ${section.title}`} section={section} isBelow={isNamed} />
      ))}
    </div>
  )
}

function SectionView({ section, isBelow }: { section: Section; isBelow: boolean }) {
  const { title, panels } = section
  const wide = widePlaces(panels)
  const Title = isBelow ? 'h3' : 'h2'
  return (
    <section class="panels">
      <Title class="panels-title">{title}</Title>
      {panels.length === 0 && <p class="quiet">No panel is declared here.</p>}
      <CardLevel.Provider value={isBelow ? 4 : 3}>
        <div class="cards">
          {panels.map((panel, place) => (
            <PanelCard
              key={`${place} ${panel.kind} ${panel.title}`}
              panel={panel}
              wide={wide.has(place)}
            />
          ))}
        </div>
      </CardLevel.Provider>
    </section>
  )
}

/** Its lines are short: they fit on a phone. */
const example = `import { panels, pie } from 'millrace/panels'

export const page = panels('Spam filter', [
  pie(scored, {
    title: 'What came',
    by: 'spam.label',
  }),
])`

const NoPanels = () => (
  <div>
    <Empty title="This application has no panels">
      An application may declare its own: shares, gauges, time lines, bars, tables and texts over
      what its pipelines write. They will stand here. It exports them beside its pipelines:
    </Empty>
    <pre>{example}</pre>
  </div>
)
