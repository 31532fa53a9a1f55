/**
 * `feedsync completions`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const completions: Command = {
  name: "completions",
  summary: "print a script that completes commands and flags in a shell",
  description: "Prints a script that makes a shell complete feedsync's commands and flags",
  usage: ["bash|zsh|fish"],
  operands: [{
    name: "bash, zsh or fish",
    required: true,
    choices: {
      bash: 'in ~/.bashrc: eval "$(feedsync completions bash)"',
      zsh: 'in ~/.zshrc, after compinit: eval "$(feedsync completions zsh)"',
      fish: "in ~/.config/fish/config.fish: feedsync completions fish | source",
    },
  }],
};
