/**
 * Where the boxes of the pipeline graph stand: layers from left to right in the order of the plan,
 * and within a layer so that lines are short and cross little (after Sugiyama, Tagawa and Toda, 1981).
 */
import type { GraphModel, ModelNode } from './graph-model.ts'

export interface PlacedNode extends ModelNode {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface PlacedEdge {
  readonly id: string
  readonly pipeline: string
  readonly step: string
  readonly isLabelled: boolean
  /** From the right side of a box, around others, to the left side of the next. */
  readonly points: readonly Point[]
  /** Where its rate is written. */
  readonly label: Point
}

export interface Layout {
  readonly nodes: readonly PlacedNode[]
  readonly edges: readonly PlacedEdge[]
  readonly width: number
  readonly height: number
}

export const headHeight = 28
export const rowHeight = 38
const boxHeight = 44
const widths = { source: 118, topic: 118, sink: 118, pipeline: 156 }
const gapX = 54
const gapY = 18
const dummyHeight = 8
const margin = 4

/** A box, or the place where a line passes a layer. */
interface Item {
  readonly id: string
  readonly layer: number
  readonly height: number
  readonly before: Item[]
  readonly after: Item[]
  center: number
}

const heightOf = (node: ModelNode) =>
  node.kind === 'pipeline' ? headHeight + node.rows.length * rowHeight + 4 : boxHeight

export function layoutOf(model: GraphModel): Layout {
  const items = new Map<string, Item>()
  const add = (id: string, layer: number, height: number) => {
    const item: Item = { id, layer, height, before: [], after: [], center: 0 }
    items.set(id, item)
    return item
  }
  for (const node of model.nodes) add(node.id, node.layer, heightOf(node))
  const waypoints = new Map<string, Item[]>()
  for (const edge of model.edges) {
    const from = items.get(edge.from)!
    const to = items.get(edge.to)!
    const passed: Item[] = []
    for (let layer = from.layer + 1; layer < to.layer; layer++) {
      passed.push(add(`${edge.id}@${layer}`, layer, dummyHeight))
    }
    waypoints.set(edge.id, passed)
    link([from, ...passed, to])
  }
  const layers = layersOf(items)
  order(layers)
  place(layers)
  const columns = columnsOf(model.nodes, layers.length)
  return finish(model, items, waypoints, columns)
}

function link(chain: readonly Item[]): void {
  for (let index = 1; index < chain.length; index++) {
    chain[index - 1]!.after.push(chain[index]!)
    chain[index]!.before.push(chain[index - 1]!)
  }
}

function layersOf(items: ReadonlyMap<string, Item>): Item[][] {
  const layers: Item[][] = []
  for (const item of items.values()) {
    layers[item.layer] ??= []
    layers[item.layer]!.push(item)
  }
  return Array.from(layers, (layer) => layer ?? [])
}

const mean = (items: readonly Item[], value: (item: Item) => number, otherwise: number) =>
  items.length === 0 ? otherwise : items.reduce((sum, item) => sum + value(item), 0) / items.length

/** Sorts each layer by where its neighbours stand, there and back. */
function order(layers: readonly Item[][]): void {
  const places = new Map<Item, number>()
  const note = (layer: readonly Item[]) => {
    for (const [index, item] of layer.entries()) places.set(item, (index + 0.5) / layer.length)
  }
  layers.forEach(note)
  for (let sweep = 0; sweep < 6; sweep++) {
    const isForward = sweep % 2 === 0
    for (const layer of isForward ? layers : layers.toReversed()) {
      const wished = new Map(
        layer.map((item) => [
          item,
          mean(isForward ? item.before : item.after, (one) => places.get(one)!, places.get(item)!),
        ]),
      )
      layer.sort((a, b) => wished.get(a)! - wished.get(b)!)
      note(layer)
    }
  }
}

/** Draws each item to the height of its neighbours, without overlaps and without changing the order. */
function place(layers: readonly Item[][]): void {
  for (const layer of layers) spread(layer, () => 0)
  for (let sweep = 0; sweep < 12; sweep++) {
    for (const layer of sweep % 2 === 0 ? layers : layers.toReversed()) {
      spread(layer, (item) =>
        mean([...item.before, ...item.after], (one) => one.center, item.center),
      )
    }
  }
  const all = layers.flat()
  const top = Math.min(...all.map(({ center, height }) => center - height / 2))
  for (const item of all) item.center -= top - margin
}

function spread(layer: readonly Item[], wish: (item: Item) => number): void {
  const wished = layer.map(wish)
  const distance = (index: number) => (layer[index - 1]!.height + layer[index]!.height) / 2 + gapY
  layer.forEach((item, index) => {
    const least = index === 0 ? -Infinity : layer[index - 1]!.center + distance(index)
    item.center = Math.max(wished[index]!, least)
  })
  // What was pushed down by those above shares the way with them.
  const pushed = mean(layer, (item) => item.center - wished[layer.indexOf(item)]!, 0)
  for (const item of layer) item.center -= pushed
}

interface ColumnPlace {
  readonly x: number
  readonly width: number
}

function columnsOf(nodes: readonly ModelNode[], count: number): ColumnPlace[] {
  const columns: ColumnPlace[] = []
  let x = margin
  for (let layer = 0; layer < count; layer++) {
    const inLayer = nodes.filter((node) => node.layer === layer)
    const width = Math.max(0, ...inLayer.map(({ kind }) => widths[kind]))
    columns.push({ x, width })
    x += width + gapX
  }
  return columns
}

function finish(
  model: GraphModel,
  items: ReadonlyMap<string, Item>,
  waypoints: ReadonlyMap<string, readonly Item[]>,
  columns: readonly ColumnPlace[],
): Layout {
  const nodes = model.nodes.map((node): PlacedNode => {
    const { center, height } = items.get(node.id)!
    const column = columns[node.layer]!
    const width = widths[node.kind]
    const x = column.x + (column.width - width) / 2
    return { ...node, x, y: center - height / 2, width, height }
  })
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const edges = model.edges.map((edge): PlacedEdge => {
    const from = byId.get(edge.from)!
    const to = byId.get(edge.to)!
    const start = { x: from.x + from.width, y: portY(from, edge.fromRow) }
    const end = { x: to.x, y: portY(to, edge.toRow) }
    const passed = waypoints.get(edge.id)!.flatMap(({ layer, center }) => {
      const { x, width } = columns[layer]!
      return [
        { x, y: center },
        { x: x + width, y: center },
      ]
    })
    const points = [start, ...passed, end]
    const isInput = to.kind === 'pipeline'
    const [a, b] = isInput ? [points.at(-2)!, end] : [start, points[1]!]
    const { id, pipeline, step, isLabelled } = edge
    return {
      id,
      pipeline,
      step,
      isLabelled,
      points,
      label: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 },
    }
  })
  const width = Math.max(0, ...nodes.map((node) => node.x + node.width)) + margin
  const lows = [...items.values()].map(({ center, height }) => center + height / 2)
  return { nodes, edges, width, height: Math.max(0, ...lows) + margin }
}

function portY(node: PlacedNode, row: number | undefined): number {
  if (node.kind !== 'pipeline' || row === undefined) return node.y + node.height / 2
  return node.y + headHeight + (row + 0.5) * rowHeight
}

/** A smooth line through the points: level at each of them. */
export function pathOf(points: readonly Point[]): string {
  const [first, ...others] = points
  let path = `M${first!.x} ${first!.y}`
  let last = first!
  for (const point of others) {
    const middle = (last.x + point.x) / 2
    path += ` C${middle} ${last.y} ${middle} ${point.y} ${point.x} ${point.y}`
    last = point
  }
  return path
}
