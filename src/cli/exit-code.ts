/** Tells a command's exit code where it is not 0: 1 failed, 2 misused. */
export type SetExitCode = (code: number) => void
