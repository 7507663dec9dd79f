/** The files of a new project, as `millrace init` writes them. */

export interface InitDependencies {
  readonly millrace: string
  readonly zod: string
}

/** Texts by file name. */
export function initFiles(name: string, dependencies: InitDependencies): Record<string, string> {
  return {
    'package.json': packageJson(name, dependencies),
    'app.ts': appText,
    'tsconfig.json': tsconfigJson,
    '.gitignore': 'node_modules/\n.millrace/\n',
    'README.md': readmeText(name),
  }
}

function packageJson(name: string, dependencies: InitDependencies): string {
  const manifest = {
    ...{ name, version: '0.1.0', private: true, type: 'module' },
    scripts: { start: 'millrace run app.ts', types: 'tsc' },
    engines: { node: '>=24.12' },
    dependencies,
    devDependencies: { '@types/node': '^24.0.0', typescript: '^7.0.0' },
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** `allowImportingTsExtensions`: Node runs TypeScript as it is, with the endings that files have. */
const tsconfigJson = `${JSON.stringify(
  {
    compilerOptions: {
      ...{ target: 'es2024', module: 'nodenext', types: ['node'], strict: true, noEmit: true },
      ...{ allowImportingTsExtensions: true, erasableSyntaxOnly: true, verbatimModuleSyntax: true },
      skipLibCheck: true,
    },
    include: ['*.ts'],
  },
  null,
  2,
)}\n`

const appText = `/** Orders of a shop that is made up: brought in, kept, filtered, and asked about in SQL. */
import { pipeline, summary, topic } from 'millrace'
import { duckdb } from 'millrace/sinks'
import { generate } from 'millrace/sources'
import { z } from 'zod'

export const about = 'orders of a shop that is made up: the large ones become rows of a table'

const Order = z.object({
  customer: z.string(),
  product: z.enum(['lamp', 'chair', 'table']),
  quantity: z.int().positive(),
  price: z.number().positive(),
})
const LargeOrder = Order.extend({ total: z.number() })

/** The same seed makes the same orders. Replace it by files<z.input<typeof Order>>({ path: 'orders.ndjson' }) or the like. */
const shop = generate({
  name: 'shop',
  seed: 7,
  count: 2000,
  ratePerSecond: 500,
  value: (_, random) => ({
    customer: \`customer \${Math.floor(random() * 50)}\`,
    product: (['lamp', 'chair', 'table'] as const)[Math.floor(random() * 3)]!,
    quantity: 1 + Math.floor(random() * 5),
    price: 10 + Math.floor(random() * 190),
  }),
})

const orders = topic('orders', { schema: Order, key: (order) => order.customer })
const largeOrders = topic('orders.large', { schema: LargeOrder, key: (order) => order.customer })

export const ingest = pipeline('ingest').from(shop).to(orders)

export const pick = pipeline('pick')
  .from(orders)
  .map('total', (order) => ({ ...order, total: order.quantity * order.price }))
  .filter('large', (order) => order.total >= 500)
  .to(largeOrders)

export const keep = pipeline('keep').from(largeOrders).to(duckdb({ table: 'large_orders' }))

export const sales = summary(largeOrders, {
  start: () => ({ count: 0, total: 0 }),
  add: (state, order) => {
    state.count++
    state.total += order.total
  },
  figures: (state) => ({ largeOrders: state.count, largeTotal: state.total }),
  line: (state) => \`\${state.count} large orders\`,
})
`

const readmeText = (name: string) => `# ${name}

Orders of a shop that is made up: \`app.ts\` brings them in, keeps them in topics, picks the large
ones and keeps those as rows of a table.

    npm install
    npm start                                    # Ctrl-C stops; started again, it goes on
    npm start -- --until-caught-up --json        # as fast as it can, one line of figures
    npx millrace run app.ts --fresh              # forget everything and start over

Look at what is there:

    npx millrace plan app.ts
    npx millrace topics list
    npx millrace topics tail orders.large
    npx millrace groups show pick
    npx millrace dead-letters list
    npx millrace sql "SELECT product, count(*), sum(total) FROM large_orders GROUP BY 1 ORDER BY 1"
    npx millrace doctor

State lives in \`.millrace\`; \`MILLRACE_DIR\` names another place.
`
