import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "./command";

/** What a bad release does wrong; the fault follows from how its version ends, such as `1.0.2-errors`. */
export const faults = {
  errors: "30 % of the requests fail",
  slow: "one request in five takes 1.5 s",
  unready: "it never becomes ready",
  crash: "it crashes after 40 requests",
  business: "60 % of the stock movements are refused",
} as const;

export type Fault = keyof typeof faults;

/** A fault that no release notices unless it measures: each Pod fails once it has answered 80 requests. */
export const lateFault = "tired";

/** Where the faulty application is made; below a folder that git ignores. */
export const faultyContext = "dist/faulty-app";

/** Makes a copy of the application that has every fault. */
export function makeFaultyApp(): void {
  const folder = join(checkout, faultyContext);
  cpSync(join(checkout, "app"), folder, {
    recursive: true,
    filter: (path) => !/\/(\.venv|tests|__pycache__)$/.test(path),
  });
  const main = join(folder, "src/inventory/main.py");
  const text = readFileSync(main, "utf8");
  // Inside of what counts and times requests.
  const inside = "    app.add_middleware(\n        RequestMiddleware";
  if (!text.includes(inside)) throw new Error(`${main} has no longer the place where faults are put in`);
  writeFileSync(main, text.replace(inside, `${MIDDLEWARE}\n${inside}`));
}

export function removeFaultyApp(): void {
  rmSync(join(checkout, faultyContext), { recursive: true, force: true });
}

const MIDDLEWARE = `
    import asyncio
    import os
    import random

    from starlette.responses import JSONResponse

    fault = settings.version.rsplit("-", 1)[-1]
    served = 0

    @app.middleware("http")
    async def faults(request, call_next):
        nonlocal served
        path = request.url.path
        if fault == "unready" and path == "/readyz":
            return JSONResponse({"fault": True}, status_code=503)
        if path.startswith("/api"):
            served += 1
            if fault == "errors" and random.random() < 0.3:
                return JSONResponse({"fault": True}, status_code=500)
            if fault == "${lateFault}" and served > 80:
                return JSONResponse({"fault": True}, status_code=500)
            if fault == "slow" and random.random() < 0.2:
                await asyncio.sleep(1.5)
            if fault == "crash" and served > 40:
                os._exit(1)
            if fault == "business" and request.method == "POST" and path.endswith("/movements"):
                if random.random() < 0.6:
                    # Counted under its route, as an answer of the service itself.
                    request.scope["route"] = next(
                        route
                        for route in movements.router.routes
                        if route.path == path and "POST" in route.methods
                    )
                    return JSONResponse({"fault": True}, status_code=409)
        return await call_next(request)
`;
