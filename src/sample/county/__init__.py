# SPDX-License-Identifier: Apache-2.0
"""The sample county: Lucas County's own records, or a generated county of any size."""
