"""Why the operating system refused something, in the reader's language; its own are English."""

import errno
from typing import Final

from django.utils.translation import gettext_lazy as _

from loancrm.kernel.words.phrases import gettext, worded

_WORDS: Final = {
    errno.ENOENT: _("it is not there"),
    errno.ENOTDIR: _("a part of its path is no folder"),
    errno.EISDIR: _("it is a folder"),
    errno.EEXIST: _("it is there already"),
    errno.EACCES: _("access is denied"),
    errno.EPERM: _("access is denied"),
    errno.EROFS: _("the disk is read-only"),
    errno.ENOSPC: _("the disk is full"),
    errno.EDQUOT: _("the disk is full"),
    errno.EFBIG: _("the file would be too large"),
    errno.EIO: _("the disk reports a fault"),
    errno.EMFILE: _("too many files are open"),
    errno.ENFILE: _("too many files are open"),
    errno.ENAMETOOLONG: _("its name is too long"),
    errno.EADDRNOTAVAIL: _("this computer does not have the address"),
}


def system_words(error: OSError) -> str:
    """Return in words why the operating system refused; of a rare reason its number."""
    words = _WORDS.get(error.errno or 0)
    if words is not None:
        return worded(words)
    return gettext("the system reports fault %(number)s") % {"number": error.errno or "?"}
