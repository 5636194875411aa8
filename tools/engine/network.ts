/** Longer than any healthy handshake, short enough to be no nuisance on a closed network. */
const probeTimeoutMs = 3_000;

const answers = new Map<string, Promise<boolean>>();

/** Whether a host answers at all; asked once per run, and decided in at most 3 seconds. */
export function reachable(url: string): Promise<boolean> {
  const known = answers.get(url);
  if (known !== undefined) return known;
  const answer = fetch(url, {
    method: "HEAD",
    redirect: "manual",
    signal: AbortSignal.timeout(probeTimeoutMs),
  }).then(
    () => true,
    () => false,
  );
  answers.set(url, answer);
  return answer;
}

/** Where Pulumi offers its CLI and its plugins. */
export const pulumiDownloads = "https://get.pulumi.com/";
