import { isHangupIgnored } from './hangup.ts';

type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface StopRequest {
  /** Aborted by the first signal; its reason is an error whose message is the signal's name. */
  signal: AbortSignal;
  /** The first signal that arrived; null: none yet. */
  name(): StopSignal | null;
  /** Stops listening: the signals end the process again. */
  forget(): void;
}

/** Listens for the signals that stop a long-running command. SIGHUP is one only where `nohup` has not turned it off. */
export function listenForStop(): StopRequest {
  const stop = new AbortController();
  let first: StopSignal | null = null;
  const listeners = stopSignals().map((name) => {
    const listener = (): void => {
      first ??= name;
      stop.abort(new Error(name));
    };
    process.on(name, listener);
    return () => process.off(name, listener);
  });
  return {
    signal: stop.signal,
    name: () => first,
    forget: () => listeners.forEach((remove) => remove()),
  };
}

function stopSignals(): StopSignal[] {
  return isHangupIgnored() ? ['SIGINT', 'SIGTERM'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];
}
