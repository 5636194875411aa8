import { ClusterError } from "../errors";
export async function loadImage(image: string): Promise<void> {
  throw new ClusterError(`not yet: ${image}`);
}
