import { section } from "./field";
import { digest, text } from "./values";

export const repository = () =>
  text(
    'a repository without its registry\'s host (that is technova:registry.server), such as "technova/inventory"',
    /^[a-z0-9]+([_-][a-z0-9]+)*(\/[a-z0-9]+([._-][a-z0-9]+)*)*$/,
  );

/** An image that the registry has already. */
export const releasedImage = () =>
  section({
    /** Repository that holds the image, without the registry's host. */
    repository: repository(),
    /** The release, as the registry knows it. */
    digest: digest(),
  });
