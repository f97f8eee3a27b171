/** Runs something small when the process ends, however it ends, short of SIGKILL. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @returns takes it back */
export function atExit(restore: () => void, target: NodeJS.Process = process): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    restore();
    undo();
    // A listener keeps Node from ending on a signal; where ours is the only one, it must not.
    if (target.listenerCount(signal) === 0) target.kill(target.pid, signal);
  };
  const undo = () => {
    target.off('exit', restore);
    for (const signal of signals) target.off(signal, onSignal);
  };
  target.on('exit', restore);
  for (const signal of signals) target.on(signal, onSignal);
  return undo;
}
