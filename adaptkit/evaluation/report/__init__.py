"""The transfer report: the same results as a page, Markdown, pictures and data."""

from adaptkit.evaluation.report.report_folder import REPORT_FILES, check_place, save_report
from adaptkit.evaluation.report.results_file import load_results, save_results
from adaptkit.evaluation.report.spoken import spoken

__all__ = ["REPORT_FILES", "check_place", "load_results", "save_report", "save_results", "spoken"]
