/**
 * How settings are written: the CLI reads them by an older YAML than ours, in which a time without quotes is no text
 * any more, but comes to the program in another form.
 */
export const quotingTimes = { compat: "yaml-1.1" } as const;
