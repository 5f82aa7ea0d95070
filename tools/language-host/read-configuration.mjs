/** Runs before the program: takes its configuration from the language host into the environment. */
import { closeSync, readFileSync } from "node:fs";

const CONFIGURATION_FD = 3;

Object.assign(process.env, JSON.parse(readFileSync(CONFIGURATION_FD, "utf8")));
closeSync(CONFIGURATION_FD);
