import { expect, test } from "vitest";
import { foresee } from "./foresee.ts";
import { formatMx } from "./mx.ts";
import {
  addMx,
  bypass,
  GOAL,
  INHERITS,
  laterGoal,
  type ModelZone,
  mxOf,
  mxTexts,
  type NextStep,
  OWN,
  run,
  takeover,
  withoutMx,
  worldOf,
  zoneWith,
} from "./testdata/model-zone.ts";

const taken = run(OWN, takeover(GOAL));
const extra = { ...mxOf("20 backup.example.com"), ttl: 60 };
const moved = addMx(withoutMx(taken, "10 mx1.gateway.test"), [extra]);
const again = { ...GOAL, wanted: [mxOf("10 mx2.gateway.test")] };

test.each<[string, ModelZone, NextStep, string[]]>([
  ["a takeover", OWN, takeover(GOAL), ["10 mx1.gateway.test."]],
  ["of an inherited MX", INHERITS, takeover(GOAL), ["10 mx1.gateway.test."]],
  ["of a null MX", zoneWith("0 "), takeover(GOAL), ["10 mx1.gateway.test."]],
  ["after a person moved the domain", moved, takeover(laterGoal(moved)), ["10 mx1.gateway.test."]],
  ["another gateway", taken, takeover(laterGoal(taken, again)), ["10 mx2.gateway.test."]],
  ["a bypass", taken, bypass(laterGoal(taken)), ["10 mail.contoso.test."]],
  [
    "a bypass after a person moved the domain",
    moved,
    bypass(laterGoal(moved)),
    ["20 backup.example.com."],
  ],
])("foresees what the run leaves: %s", (_, zone, next, left) => {
  const end = foresee(worldOf(zone), next);
  expect(end.present.map(formatMx)).toEqual(left);
  expect(mxTexts(run(zone, next))).toEqual(left);
});
