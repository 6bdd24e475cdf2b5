// Before anything is drawn: the theme that was chosen here, if one was. Without, it is the system's.
try {
    var theme = localStorage.getItem('identityimg.theme');
    if (theme === 'light' || theme === 'dark') {
        document.documentElement.dataset.theme = theme;
    }
} catch (error) {}
