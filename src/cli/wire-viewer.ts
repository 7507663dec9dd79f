/** Values in the wire format of schema registries, as commands show them: with the environment's registry. */
import type { WireView, WireViewer } from '../formats/viewer.ts'
import { environmentFor } from '../pipeline/open-log.ts'

export type { WireView } from '../formats/viewer.ts'

/** Undefined for what is not in the wire format. */
export type View = (bytes: Buffer | null) => Promise<WireView | undefined>

/** Loads nothing and asks nobody before the first value that is in the wire format. */
export function wireView(): View {
  let viewer: Promise<WireViewer> | undefined
  return async (bytes) => {
    // Nearly all are JSON.
    if (bytes === null || bytes[0] !== 0) return undefined
    viewer ??= openViewer()
    return (await viewer).view(bytes)
  }
}

async function openViewer(): Promise<WireViewer> {
  const { schemaRegistry, directory } = await environmentFor()
  const [{ WireViewer }, { SchemaRegistry }] = await Promise.all([
    import('../formats/viewer.ts'),
    import('../formats/registry.ts'),
  ])
  const connection = await schemaRegistry?.connection({ directory })
  return new WireViewer(connection && new SchemaRegistry(connection))
}
