import type { Control, Layer } from "../control";
import { codeControls } from "./code";
import { containerControls } from "./container";
import { infrastructureControls } from "./infrastructure";
import { pipelineControls } from "./pipeline";

/** Every control, by its layer. */
export const controls: Readonly<Record<Layer, readonly Control[]>> = {
  code: codeControls,
  container: containerControls,
  infrastructure: infrastructureControls,
  pipeline: pipelineControls,
};
