import { JSONPath } from "jsonpath-plus";
import { number, type KubeObject } from "../object";
import { conditions, ready, waiting, type Readiness, type Verdict } from "./verdict";

/**
 * Reads the annotation `pulumi.com/waitFor`: `jsonpath={.path}`, `jsonpath={.path}=value`, `condition=Type`,
 * `condition=Type=Status`, or a JSON list of these, all of which have to hold.
 */
export function parseWaitFor(annotation: string): Readiness {
  const tests = parseExpressions(annotation).map(parseExpression);
  return {
    judge: (live) => {
      const verdicts = tests.map((test) => test(live));
      return verdicts.find((verdict) => !verdict.ready) ?? ready();
    },
  };
}

function parseExpressions(annotation: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(annotation);
  } catch {
    return [annotation];
  }
  if (!Array.isArray(value)) return [annotation];
  if (value.length === 0) throw new Error("pulumi.com/waitFor is an empty list: name at least one condition");
  return value.map(String);
}

type Test = (live: KubeObject) => Verdict;

function parseExpression(expression: string): Test {
  if (expression.startsWith("condition=")) return parseCondition(expression.slice("condition=".length));
  if (expression.startsWith("jsonpath=")) return parseJsonPath(expression.slice("jsonpath=".length));
  throw new Error(
    `pulumi.com/waitFor: ${JSON.stringify(expression)} has to start with "jsonpath=" or "condition="`,
  );
}

function parseCondition(expression: string): Test {
  const [type = "", wanted = "True"] = expression.split("=", 2);
  if (!type)
    throw new Error(
      'pulumi.com/waitFor: "condition=" needs the type of a condition, such as condition=Ready',
    );
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  return (live) => {
    const observed = number(live, "status", "observedGeneration");
    if (observed !== undefined && observed < (number(live, "metadata", "generation") ?? 0)) {
      return waiting("waiting for the controller to see the change");
    }
    const found = conditions(live).find((condition) => same(condition.type, type));
    if (found && same(found.status, wanted)) return ready();
    return waiting(
      `waiting for condition ${type}=${wanted}${found ? `; it is ${found.status}: ${found.message}` : ""}`,
    );
  };
}

function parseJsonPath(expression: string): Test {
  const match = /^\{\s*(.*?)\s*\}(?:=(.*))?$/s.exec(expression);
  if (!match || match[2] === "") {
    throw new Error(
      `pulumi.com/waitFor: ${JSON.stringify(expression)} has to be {.path} or {.path}=value, without quotes around it`,
    );
  }
  const [, inner = "", wanted] = match;
  const path = inner.startsWith("$") ? inner : `$${inner}`;
  const select = (live: KubeObject): unknown[] => JSONPath({ path, json: live, wrap: true, eval: "safe" });
  try {
    select({});
  } catch (error) {
    throw new Error(`pulumi.com/waitFor: cannot read {${inner}}: ${(error as Error).message}`);
  }
  return (live) => {
    const [found] = select(live);
    if (found === undefined) return waiting(`waiting for {${inner}} to exist`);
    if (wanted === undefined) return ready();
    if (typeof found === "object" && found !== null) {
      throw new Error(
        `pulumi.com/waitFor: {${inner}} is not a single value, so it cannot be ${JSON.stringify(wanted)}`,
      );
    }
    return String(found) === wanted
      ? ready()
      : waiting(`waiting for {${inner}} to be ${wanted}; it is ${String(found)}`);
  };
}
