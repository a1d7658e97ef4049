#!/usr/bin/env python3
"""checks_can_fail.py ROOT: shows that each check of the documents finds what is wrong."""

import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(sys.argv.pop(1)).resolve()


def script(name):
    loader = importlib.machinery.SourceFileLoader(name, str(FOLDER / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


links, blocks, guide = script("check_links"), script("run_blocks"), script("check_guide")
GUIDE = (ROOT / "agent/README.md").read_text()
PROVISION_GUIDE = (ROOT / "provision/README.md").read_text()


class Documents(unittest.TestCase):
    """A document in a repository of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="trebuchet-docs-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        (self.root / "build").mkdir()

    def write(self, text, name="README.md"):
        path = self.root / name
        path.write_text(text)
        return path

    def problems_of(self, text):
        return [problem for _, problem in links.check_document(self.write(text), self.root)]

    def outcome_of(self, text):
        path = self.write(text)
        sandbox = blocks.Sandbox(self.root, self.root / "build")
        try:
            problems, _ = blocks.run_document(path, sandbox)
            return "\n".join(f"{line}: {problem}" for line, problem in problems)
        finally:
            sandbox.close()


class Links(Documents):
    def test_good_links_are_fine(self):
        self.write("# A heading\n\n## A heading\n", "other.md")
        text = "# Top\n[a](other.md#a-heading-1) [b](#top) [c](https://example.com/x) `[d](nowhere)`\n"
        self.assertEqual(self.problems_of(text), [])

    def test_a_file_that_is_missing_is_found(self):
        self.assertEqual(self.problems_of("[a](other.md)\n"), ["the link other.md leads to no file"])

    def test_a_heading_that_is_missing_is_found(self):
        self.assertEqual(self.problems_of("# Top\n[a](#bottom)\n"), ["the link #bottom leads to no heading"])

    def test_a_link_out_of_the_repository_is_found(self):
        self.assertEqual(self.problems_of("[a](../x)\n"), ["the link ../x leads out of the repository"])

    def test_a_heading_in_a_block_is_none(self):
        self.assertEqual(self.problems_of("```sh\n# top\n```\n[a](#top)\n"), ["the link #top leads to no heading"])

    def test_a_block_without_a_kind_is_found(self):
        self.assertIn("does not say what it is", self.problems_of("```\nls\n```\n")[0])

    def test_an_indented_block_is_found(self):
        self.assertIn("indented block", self.problems_of("Run:\n\n    ls\n")[0])

    def test_a_block_that_does_not_end_is_found(self):
        self.assertEqual(self.problems_of("```sh\nls\n"), ["the block does not end"])

    def test_a_readme_that_is_too_long_or_too_wide_is_found(self):
        self.assertEqual(len(links.check_readme(self.write("x\n" * 171))), 1)
        self.assertEqual(len(links.check_readme(self.write("x" * 121 + "\n"))), 1)
        self.assertEqual(links.check_readme(self.write("x" * 120 + "\n")), [])


class Commands(Documents):
    def test_good_commands_are_fine(self):
        self.assertEqual(self.outcome_of("```sh\necho '**0a1b2c**'\n```\n\n```text output\n**ffffff**\n```\n"), "")

    def test_a_command_that_fails_is_found(self):
        self.assertIn("1: the commands ended with 1", self.outcome_of("```sh\nfalse\n```\n"))

    def test_a_command_that_fails_in_the_middle_is_found(self):
        self.assertIn("ended with 1", self.outcome_of("```sh\nfalse | cat\necho done\n```\n"))

    def test_an_unknown_command_is_found(self):
        self.assertIn("ended with 127", self.outcome_of("```sh\ntrebuchet-no-such-program\n```\n"))

    def test_another_output_is_found(self):
        self.assertIn("5: the commands before it print something else",
                      self.outcome_of("```sh\necho a\n```\n\n```text output\nb\n```\n"))

    def test_output_without_commands_is_found(self):
        self.assertIn("1: output without", self.outcome_of("```text output\nb\n```\n"))

    def test_blocks_with_a_reason_are_not_run(self):
        self.assertEqual(self.outcome_of("<!-- not run: it fails -->\n```sh\nfalse\n```\n"), "")

    def test_a_marker_without_a_reason_is_found(self):
        self.assertIn("1: the marker gives no reason", self.outcome_of("<!-- not run: -->\n```sh\nfalse\n```\n"))

    def test_what_runs_in_the_background_is_ended(self):
        self.assertEqual(self.outcome_of("```sh\nsleep 1000 &\n```\n"), "")

    def test_nothing_is_written_into_the_repository(self):
        self.assertEqual(self.outcome_of("```sh\necho x > new\ntest -e README.md\n```\n"), "")
        self.assertFalse((self.root / "new").exists())


class Guide(unittest.TestCase):
    """The real guides, with one thing changed."""

    def without(self, line_with):
        changed = [line for line in GUIDE.splitlines() if line_with not in line]
        self.assertEqual(len(changed), len(GUIDE.splitlines()) - 1, line_with)
        return "\n".join(changed)

    def keys(self):
        """As the code would show them: those of the guide."""
        return {key: '""' if said in ("empty", "none", "required") else said for key, said in guide.guide_keys(GUIDE).items()}

    def test_the_guide_agrees_with_itself(self):
        self.assertEqual(guide.check_keys(GUIDE, self.keys()), [])

    def test_a_key_that_the_guide_lacks_is_found(self):
        self.assertEqual(guide.check_keys(self.without("| `polling_interval` |"), self.keys()),
                         ["key polling_interval is not in the guide"])

    def test_a_key_that_the_code_does_not_know_is_found(self):
        keys = self.keys()
        del keys["trebuchet.drain"]
        self.assertEqual(guide.check_keys(GUIDE, keys),
                         ["the guide names the key trebuchet.drain, which the code does not know"])

    def test_another_default_is_found(self):
        self.assertEqual(guide.check_keys(GUIDE, self.keys() | {"trebuchet.kill_grace": "11"}),
                         ["key trebuchet.kill_grace: the default is 11, the guide says 10"])

    def test_a_metric_that_the_guide_lacks_is_found(self):
        metrics = guide.code_metrics(ROOT)
        self.assertGreater(len(metrics), 10)
        named = guide.first_cells(self.without("| `trebuchet_upload_lag_seconds` |"), "Metrics and health")
        self.assertEqual(guide.compare("metric", metrics, named),
                         ["metric trebuchet_upload_lag_seconds is not in the guide"])

    def test_a_signal_that_the_guide_lacks_is_found(self):
        named = guide.first_cells(self.without("| `SIGUSR1` |"), "Signals")
        self.assertEqual(guide.compare("signal", guide.code_signals(ROOT), named), ["signal SIGUSR1 is not in the guide"])

    def test_a_signal_that_the_code_does_not_know_is_found(self):
        named = guide.first_cells(GUIDE, "Signals")
        self.assertEqual(guide.compare("signal", guide.code_signals(ROOT) - {"SIGHUP"}, named),
                         ["the guide names the signal SIGHUP, which the code does not know"])

    def test_an_exit_code_that_the_guide_lacks_is_found(self):
        named = guide.guide_exit_codes(self.without("| 247 | the agent ended"))
        self.assertEqual(guide.compare("exit code", guide.code_exit_codes(ROOT), named),
                         ["exit code 247 is not in the guide"])

    def test_an_environment_variable_that_the_guide_lacks_is_found(self):
        named = guide.first_cells(self.without("| `INFLUX_HOST` |"), "Read by the agent")
        self.assertIn("environment variable INFLUX_HOST is not in the guide",
                      guide.compare("environment variable", guide.code_variables(ROOT), named))

    def test_a_connector_type_or_key_that_the_guide_lacks_is_found(self):
        helps = {"toaster": "Keys:\n  slot_of_the_toaster  which one (text)\n  device_ip  address (text)\n"}
        wrong = guide.check_types(PROVISION_GUIDE, helps)
        self.assertIn("connector type toaster is not in the guide", wrong)
        self.assertIn("key slot_of_the_toaster of the connector type toaster is not in the guide", wrong)
        self.assertNotIn("key device_ip of the connector type toaster is not in the guide", wrong)
        self.assertIn("the guide names the connector type muxpi, which the code does not know", wrong)

    def test_a_help_text_without_an_example_is_found(self):
        self.assertEqual(guide.check_helps({"x": "Usage: x\n"}), ["`x --help` does not end with an example"])
        self.assertEqual(guide.check_helps({"x": "Usage: x\n\nExample:\n  x\n"}), [])


if __name__ == "__main__":
    unittest.main()
