import assert from "node:assert/strict";
import { type Held, MemoryBudget } from "../../lib/reading/memory_budget.ts";

/** Things that are held in a room, in the order in which they got in. */
class Things {
  readonly room = new MemoryBudget(10);
  readonly held: Held<{ size: number }>[] = [];
  made = 0;

  async add(size: number): Promise<void> {
    this.held.push(
      await this.room.hold(() => {
        this.made++;
        return { size };
      }),
    );
  }

  free(index: number): Promise<void> {
    this.held[index][Symbol.dispose]();
    return settled();
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

Deno.test("MemoryBudget makes nothing more once it is full, until something is let go", async () => {
  const things = new Things();
  await things.add(9);
  await things.add(100);
  const waiting = [things.add(1), things.add(1)];
  await settled();
  assert.equal(things.made, 2);
  await things.free(0);
  assert.equal(things.made, 2, "it is still full");
  await things.free(1);
  await Promise.all(waiting);
  assert.equal(things.made, 4);
});

Deno.test("MemoryBudget lets in as many small things as fit when a large one is let go", async () => {
  const things = new Things();
  await things.add(10);
  const waiting = [4, 4, 4, 4].map((size) => things.add(size));
  await things.free(0);
  assert.deepEqual(things.held.map(({ value }) => value.size), [10, 4, 4, 4]);
  await things.free(1);
  await Promise.all(waiting);
});

Deno.test("MemoryBudget is not taken by what cannot be made, which holds up nothing behind it", async () => {
  const things = new Things();
  await things.add(10);
  const failing = things.room.hold(() => {
    throw new Error("It is corrupt");
  });
  const waiting = things.add(1);
  await Promise.all([assert.rejects(failing, /It is corrupt/), things.free(0), waiting]);
  assert.equal(things.made, 2);
});
