"""Measures: test runners, reports, baseline, the gate, tampering, minimising, receipts."""
