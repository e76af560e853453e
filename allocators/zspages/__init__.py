"""The zsmalloc family: allocators of zspages, which are runs of pages cut into equal objects."""
