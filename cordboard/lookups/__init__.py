"""Asking other systems over HTTP on behalf of a caller, who must never be stuck because of one."""
