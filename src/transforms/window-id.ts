/**
 * Ids of windows: `step/key/start`, which no other window of the step has, ever. The revision that
 * rises with it is how many messages the window has taken in, so it is the same wherever batches
 * begin, and a session that was merged has a higher one than each it was made of.
 */

export function windowId(step: string, key: string, startMs: number): string {
  return `${step}/${key}/${startMs}`
}

/** Undefined when it is no window's id. Step names have no slash; keys may have any. */
export function readWindowId(
  id: string,
): { readonly step: string; readonly key: string; readonly startMs: number } | undefined {
  const stepEnd = id.indexOf('/')
  const keyEnd = id.lastIndexOf('/')
  const start = id.slice(keyEnd + 1)
  if (stepEnd < 1 || keyEnd <= stepEnd || !/^-?\d+$/.test(start)) return undefined
  return { step: id.slice(0, stepEnd), key: id.slice(stepEnd + 1, keyEnd), startMs: Number(start) }
}
