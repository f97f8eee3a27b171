/** Runs something small when the process ends, however it ends, short of SIGKILL. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @returns takes it back */
export function atExit(restore: () => void, target: NodeJS.Process = process): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    // Whoever else listens takes things down in order, and then exits.
    if (target.listenerCount(signal) > 1) return;
    // A listener keeps Node from ending on a signal, so the last one has to end it.
    restore();
    undo();
    target.kill(target.pid, signal);
  };
  const undo = () => {
    target.off('exit', restore);
    for (const signal of signals) target.off(signal, onSignal);
  };
  target.on('exit', restore);
  // Before all others: one that listens once is gone when its turn is over.
  for (const signal of signals) target.prependListener(signal, onSignal);
  return undo;
}
