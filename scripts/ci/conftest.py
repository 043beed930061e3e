# SPDX-License-Identifier: Apache-2.0
"""Gives the tests below this folder the fixture `gstage_machine`."""
pytest_plugins = ['gstage_ci']
