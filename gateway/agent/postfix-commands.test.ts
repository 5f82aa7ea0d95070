import { expect, test } from "vitest";
import { countQueue } from "./postfix-commands.ts";

const NOW = new Date("2026-11-26T12:00:00Z");

/** A line of `postqueue -j`, as far as it is read. */
function line(id: string, queue: string, secondsAgo: number, sender: string): string {
  const arrival = NOW.getTime() / 1000 - secondsAgo;
  return `{"queue_name": "${queue}", "queue_id": "${id}", "arrival_time": ${arrival}, "message_size": 400, "forced_expire": false, "sender": "${sender}", "recipients": []}`;
}

test("messages are counted, and those that wait by the domain of their sender", async () => {
  const lines = [
    line("1", "active", 5, "ann@new.test"),
    line("2", "active", 90, "ann@a.test"),
    line("3", "deferred", 30, "bob@a.test"),
    line("4", "deferred", 600, "MAILER-DAEMON"),
  ];
  expect(await countQueue(lines, NOW)).toEqual({
    messages: 4,
    oldestSeconds: 600,
    senders: new Map([["a.test", { messages: 2, oldest: NOW.getTime() / 1000 - 90 }]]),
  });
});

test("a message that is put off while the queue is listed counts once, and waits", async () => {
  const lines = [
    line("1", "active", 5, "ann@a.test"),
    line("2", "active", 90, "ann@a.test"),
    line("1", "deferred", 5, "ann@a.test"),
    line("2", "deferred", 90, "ann@a.test"),
  ];
  expect(await countQueue(lines, NOW)).toMatchObject({
    messages: 2,
    senders: new Map([["a.test", { messages: 2, oldest: NOW.getTime() / 1000 - 90 }]]),
  });
});
