/** Ctrl-C, once: nothing new is begun, and what is under way stops at its next safe point. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (!controller.signal.aborted) {
      console.error("Stopping at the next safe point. Running again goes on.");
    }
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}
