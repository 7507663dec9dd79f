/** The models: their versions, how good they are, what they confuse, and why they answer as they do. */
import type { ModelRecord, RegisteredVersion } from '../../src/server/state.ts'
import { Card } from '../components/chart.tsx'
import { Empty, Load } from '../components/states.tsx'
import { Table } from '../components/table.tsx'
import { modelOf, models } from '../data/api.ts'
import { useLoaded } from '../data/hooks.ts'
import { go, hrefOf } from '../data/route.ts'
import { ageText, fullTime, percent } from '../format.ts'
import { ConfusionCard } from './confusion.tsx'
import { ExplainCard } from './explain.tsx'
import { aliasesOf, changeWords, metricOf, metricsOf, warningsOf } from './model-facts.ts'

const refreshMs = 15_000

export function ModelsView({ words }: { words: URLSearchParams }) {
  const { loaded, reload } = useLoaded('models', models, refreshMs)
  return (
    <Load of={loaded} what="the models" retry={reload}>
      {({ models: known }) => {
        const chosen = known.find(({ name }) => name === words.get('model')) ?? known[0]
        if (chosen === undefined) {
          return (
            <Empty title="No model is registered yet">
              <code>millrace train</code> registers one, and so does a pipeline that trains its own.
            </Empty>
          )
        }
        return (
          <>
            {known.length > 1 && (
              <div class="bar">
                <label>
                  Model
                  <select
                    value={chosen.name}
                    onChange={(event) => go(hrefOf('models', { model: event.currentTarget.value }))}
                  >
                    {known.map(({ name }) => (
                      <option key={name} value={name}>
                        {name}
                      </option>
                    ))}
                  </select>
                </label>
              </div>
            )}
            <OneModel key={chosen.name} name={chosen.name} shown={Number(words.get('version'))} />
          </>
        )
      }}
    </Load>
  )
}

function OneModel({ name, shown }: { name: string; shown: number }) {
  const { loaded, reload } = useLoaded(name, () => modelOf(name), refreshMs)
  return (
    <Load of={loaded} what={`model ${name}`} retry={reload}>
      {(model) => {
        const version = model.versions.find(({ number }) => number === shown) ?? model.newest
        return (
          <div class="cards">
            <Versions model={model} shown={version} />
            <div class="column">
              <Facts version={version} />
              <ConfusionCard version={version} />
            </div>
            <ExplainCard key={`${name} ${version.number}`} version={version} />
            <History model={model} />
          </div>
        )
      }}
    </Load>
  )
}

function Versions({ model, shown }: { model: ModelRecord; shown: RegisteredVersion }) {
  const share = (version: RegisteredVersion, name: string) => {
    const value = metricOf(version, name)
    return value === undefined ? '-' : percent(value)
  }
  return (
    <Card title={`Versions of ${model.name}`} note="the newest first" wide>
      <Table
        label={`Versions of ${model.name}`}
        keyOf={({ version }) => version}
        rows={model.versions}
        rowClass={({ version }) => (version === shown.version ? 'chosen' : undefined)}
        columns={[
          {
            title: 'Version',
            cell: ({ name, number, version }) => (
              <a
                href={hrefOf('models', { model: name, version: String(number) })}
                aria-current={version === shown.version}
              >
                {number}
              </a>
            ),
          },
          { title: 'Aliases', cell: (version) => aliasesOf(model, version).join(', ') || '-' },
          { title: 'Accuracy', isNumber: true, cell: (version) => share(version, 'accuracy') },
          {
            title: 'Macro F1',
            isNumber: true,
            cell: (version) => metricOf(version, 'macroF1')?.toFixed(4) ?? '-',
          },
          {
            title: 'Registered',
            cell: ({ registeredAtMs }) => ageText(registeredAtMs, Date.now()),
            full: ({ registeredAtMs }) => fullTime(registeredAtMs),
          },
          {
            title: 'Hash',
            cell: ({ version }) => <span class="code">{version.slice(0, 12)}</span>,
            full: ({ version }) => version,
          },
          {
            title: 'Estimator',
            isWide: true,
            cell: ({ estimator }) => estimator || '-',
            full: ({ estimator }) => estimator,
          },
        ]}
      />
    </Card>
  )
}

function Facts({ version }: { version: RegisteredVersion }) {
  const metrics = metricsOf(version)
  return (
    <Card
      title={`Version ${version.number}`}
      note={`of ${version.name}, by Millrace ${version.libraryVersion || '(not known)'}`}
    >
      {warningsOf(version).map((warning) => (
        <p key={warning} class="notice notice-bad">
          {warning}
        </p>
      ))}
      {metrics.length === 0 ? (
        <p class="quiet">It was registered without metrics.</p>
      ) : (
        <dl class="facts">
          {metrics.map(({ name, text, full }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="figure" title={full}>
                {text}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <dl class="facts facts-lines">
        <div>
          <dt>estimator</dt>
          <dd>{version.estimator || 'not known'}</dd>
        </div>
        <div>
          <dt>features</dt>
          <dd>{version.featureSchema.join(' + ') || 'not known'}</dd>
        </div>
      </dl>
    </Card>
  )
}

function History({ model }: { model: ModelRecord }) {
  return (
    <Card title="History" note="who pointed an alias where, and why" wide>
      {model.history.length === 0 ? (
        <p class="quiet">No alias was ever set: the bare name stands for the newest version.</p>
      ) : (
        <Table
          label={`History of ${model.name}`}
          keyOf={({ revision }) => String(revision)}
          rows={model.history}
          columns={[
            { title: 'Revision', isNumber: true, cell: ({ revision }) => revision },
            {
              title: 'When',
              cell: ({ atMs }) => ageText(atMs, Date.now()),
              full: ({ atMs }) => fullTime(atMs),
            },
            { title: 'Change', cell: (change) => changeWords(model, change) },
            { title: 'By', cell: ({ by }) => by },
            {
              title: 'Why',
              isWide: true,
              cell: ({ reason }) => reason || '-',
              full: ({ reason }) => reason,
            },
          ]}
        />
      )}
    </Card>
  )
}
