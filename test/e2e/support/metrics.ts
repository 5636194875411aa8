import { kubectl } from "./cluster";

/** Asks the stack's Prometheus; each sample with its labels and its value. */
export async function query(
  expression: string,
): Promise<{ metric: Record<string, string>; value: number }[]> {
  const path = `/api/v1/namespaces/monitoring/services/prometheus:http/proxy/api/v1/query?query=${encodeURIComponent(expression)}`;
  const { data } = JSON.parse(await kubectl("get", "--raw", path)) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}
