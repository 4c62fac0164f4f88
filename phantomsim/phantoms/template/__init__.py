"""A brain made of the tissue-probability maps of a template that a package ships."""
